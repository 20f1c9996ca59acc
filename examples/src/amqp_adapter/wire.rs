//! A stream under an AMQP 1.0 stack that shows the frames of the peer before the stack has them.
//!
//! Stacks keep to themselves what a machine must know, such as the idle timeout of the peer, and leave out what it
//! counts on. Here that is seen and made up for, and all else passes unchanged.

use std::{
    fmt,
    future::Future as _,
    io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf as _, BytesMut};
use fe2o3_amqp::types::{
    definitions::{Error, Handle, Role},
    messaging::DeliveryState,
    performatives::{Attach, Detach, Disposition, Performative},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{oneshot, watch},
    time::{Instant, Sleep, sleep},
};

use super::nesting::{Nesting, invalid};

/// `max-frame-size` for `open`, in bytes: the peer may send no larger frame.
pub const MAX_FRAME: u32 = 65_536;

/// Links of the peer that may stand refused at a time; with more, the connection ends.
pub(crate) const MAX_REFUSED: usize = 64;
pub(crate) const TOO_MANY_LINKS: &str = "more links than anybody needs, all refused";

/// Deliveries that one disposition may settle, and more than a session lets through at a time: stacks walk over all
/// ids of a range, known or not.
const MAX_SETTLED: u32 = 2048;
/// Bytes that may wait for a peer which does not read.
const MAX_INSERTS: usize = 65_536;
const HEADER: usize = 8;
const EMPTY_FRAME: [u8; HEADER] = [0, 0, 0, 8, 2, 0, 0, 0];
/// How the body of its frame begins.
const DISPOSITION: [u8; 3] = [0, 0x53, 0x15];

/// What came from the peer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Seen {
    /// The protocol header, of whatever protocol.
    Header,
    /// A frame of AMQP; an empty one has nothing in it.
    Frame(Option<Box<Performative>>),
}

/// What shall become of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// The stack gets it.
    Pass,
    /// The stack gets it, and from now on the peer never waits longer than this for a frame.
    PassAndBeat(Duration),
    /// The stack does not get it; these frames go to the peer instead.
    Answer(Vec<u8>),
    /// The connection ends, with an error that says this.
    Break(&'static str),
}

/// The stream: see the module. It is shut when its [`Lifeline`] is dropped.
pub struct Wire<S> {
    stream: S,
    watch: Box<dyn FnMut(Seen) -> Verdict + Send>,
    /// None once it was dropped, or the peer has broken the rules.
    lifeline: Option<oneshot::Receiver<()>>,
    /// Arrived, but not a whole frame yet.
    partial: BytesMut,
    /// Whole frames for the stack.
    passed: BytesMut,
    ended: bool,
    header_next: bool,
    /// The message that is coming in: the handle of its link, and how far it is known to be bearable.
    message: Option<(u32, Nesting)>,
    /// To be sent between two frames of the stack.
    inserts: BytesMut,
    /// Bytes that the stack writes again, and that the peer has already.
    written: usize,
    /// Not in the middle of a frame of the stack.
    between_frames: bool,
    beat: Option<(Duration, Pin<Box<Sleep>>)>,
    /// Sent, but not a whole frame yet; and how many dispositions were sent, if somebody wants to know.
    leaving: BytesMut,
    dispositions: Option<watch::Sender<u64>>,
}

/// Keeps a [`Wire`] open. Dropped, it ends the stream at once: nothing is read or written any more, not even an end of
/// TLS.
#[derive(Debug)]
pub struct Lifeline(#[expect(dead_code, reason = "it is dropped, never used")] oneshot::Sender<()>);

impl<S> Wire<S> {
    /// Lets `watch` see what comes over `stream`, from the header of AMQP on: SASL is over.
    pub fn new(stream: S, watch: impl FnMut(Seen) -> Verdict + Send + 'static) -> (Self, Lifeline) {
        let (sender, lifeline) = oneshot::channel();
        let wire = Self {
            stream,
            watch: Box::new(watch),
            lifeline: Some(lifeline),
            partial: BytesMut::new(),
            passed: BytesMut::new(),
            ended: false,
            header_next: true,
            message: None,
            inserts: BytesMut::new(),
            written: 0,
            between_frames: true,
            beat: None,
            leaving: BytesMut::new(),
            dispositions: None,
        };
        (wire, Lifeline(sender))
    }

    /// The same after a beginning without the stack: what was `read` comes first, and of what the stack writes the
    /// first `written` bytes are left out.
    ///
    /// # Errors
    /// There is a frame in it that no stack shall see.
    pub fn with_beginning(mut self, read: &[u8], written: usize) -> io::Result<Self> {
        self.partial.extend_from_slice(read);
        self.written = written;
        self.sort()?;
        Ok(self)
    }

    /// Counts the dispositions that the stack has written: it does not tell when it has.
    #[must_use]
    pub fn with_dispositions(self, dispositions: watch::Sender<u64>) -> Self {
        Self { dispositions: Some(dispositions), ..self }
    }

    fn count(&mut self, sent: &[u8]) {
        let Some(dispositions) = &self.dispositions else { return };
        self.leaving.extend_from_slice(sent);
        while self.leaving.len() >= HEADER {
            let is_header = self.leaving.starts_with(b"AMQP");
            // The stack's own frames have sizes that can be.
            let size = if is_header { Ok(HEADER) } else { frame_size(&self.leaving) };
            let Ok(size) = size else { return };
            if self.leaving.len() < size {
                return;
            }
            let frame = self.leaving.split_to(size);
            if !is_header && frame[HEADER..].starts_with(&DISPOSITION) {
                dispositions.send_modify(|count| *count += 1);
            }
        }
    }

    fn check_lifeline(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let Some(lifeline) = &mut self.lifeline {
            if Pin::new(lifeline).poll(context).is_pending() {
                return Ok(());
            }
            self.lifeline = None;
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Shows whole frames, and passes them on.
    fn sort(&mut self) -> io::Result<()> {
        while self.partial.len() >= HEADER {
            let size = if self.header_next { HEADER } else { frame_size(&self.partial)? };
            if self.partial.len() < size {
                break;
            }
            let bytes = self.partial.split_to(size);
            let header = mem::take(&mut self.header_next);
            let (performative, payload) = if header { (None, &[][..]) } else { parse(&bytes)? };
            let performative = performative.map(Box::new);
            let seen = if header { Seen::Header } else { Seen::Frame(performative.clone()) };
            match (self.watch)(seen) {
                Verdict::Pass => {}
                Verdict::PassAndBeat(interval) => {
                    self.beat = Some((interval, Box::pin(sleep(interval))));
                }
                Verdict::Answer(frames) => {
                    self.inserts.extend_from_slice(&frames);
                    if self.inserts.len() > MAX_INSERTS {
                        return Err(invalid("too much to answer to a peer that does not read"));
                    }
                    continue;
                }
                Verdict::Break(text) => return Err(invalid(text)),
            }
            if let Some(performative) = performative {
                self.follow(&performative, payload)?;
            }
            self.passed.unsplit(bytes);
        }
        Ok(())
    }

    /// Sees to it that the stack can bear the message that is coming in, however many transfers it takes.
    fn follow(&mut self, performative: &Performative, payload: &[u8]) -> io::Result<()> {
        match performative {
            Performative::Transfer(transfer) => {
                // The stack would begin again in the middle, with other values than were seen here.
                if transfer.resume || matches!(transfer.state, Some(DeliveryState::Received(_))) {
                    return Err(invalid("a delivery that goes on, while none was broken off"));
                }
                let handle = transfer.handle.0;
                let begun = self.message.take();
                let (link, mut nesting) = begun.unwrap_or_else(|| (handle, Nesting::new(u32::MAX)));
                if link != handle {
                    return Err(invalid("a message in the middle of one of another link"));
                }
                if !transfer.aborted {
                    nesting.walk(payload)?;
                    self.message = transfer.more.then_some((link, nesting));
                }
            }
            Performative::Attach(_) if self.message.is_some() => {
                return Err(invalid("a link that begins in the middle of a message"));
            }
            Performative::Detach(detach) => {
                self.message.take_if(|(link, _)| *link == detach.handle.0);
            }
            Performative::End(_) => self.message = None,
            _ => {}
        }
        Ok(())
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Sends what is to be inserted, unless the stack is in the middle of a frame.
    fn poll_insert(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.between_frames || self.inserts.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while !self.inserts.is_empty() {
            let stream = Pin::new(&mut self.stream);
            let written = ready!(stream.poll_write(context, &self.inserts))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.inserts.advance(written);
        }
        self.restart_beat();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_beat(&mut self, context: &mut Context<'_>) {
        if let Some((interval, sleep)) = &mut self.beat {
            while sleep.as_mut().poll(context).is_ready() {
                if self.inserts.is_empty() && self.between_frames {
                    self.inserts.extend_from_slice(&EMPTY_FRAME);
                }
                sleep.as_mut().reset(Instant::now() + *interval);
            }
        }
    }

    fn restart_beat(&mut self) {
        if let Some((interval, sleep)) = &mut self.beat {
            sleep.as_mut().reset(Instant::now() + *interval);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.check_lifeline(context)?;
        this.poll_beat(context);
        while this.passed.is_empty() && !this.ended {
            // A stack reads all the time: so this is also where insertions are driven from.
            if let Poll::Ready(Err(error)) = this.poll_insert(context) {
                return Poll::Ready(Err(error));
            }
            let mut chunk = [0; 8192];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut chunk))?;
            this.ended = chunk.filled().is_empty();
            this.partial.extend_from_slice(chunk.filled());
            if let Err(error) = this.sort() {
                // Nor does the stack write any more: who does not read could keep it waiting for ever.
                this.lifeline = None;
                return Poll::Ready(Err(error));
            }
        }
        let length = this.passed.len().min(buffer.remaining());
        buffer.put_slice(&this.passed.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_lifeline(context)?;
        if self.written > 0 {
            let again = bytes.len().min(self.written);
            self.written -= again;
            return Poll::Ready(Ok(again));
        }
        ready!(self.poll_insert(context))?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.between_frames = false;
        self.restart_beat();
        self.count(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    /// A stack flushes when it has written whole frames, and only then.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_lifeline(context)?;
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.between_frames = true;
        self.poll_insert(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_lifeline(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// Refuses a link that the peer attaches: Attach without source and target, then Detach, both on channel 0.
#[must_use]
pub fn refuse(attach: Attach, error: Error) -> Vec<u8> {
    // The one link of the stack has handle 0.
    let handle = Handle(attach.handle.0.saturating_add(1));
    let (role, initial_delivery_count) = match attach.role {
        Role::Sender => (Role::Receiver, None),
        Role::Receiver => (Role::Sender, Some(0)),
    };
    let attach = Attach {
        handle: handle.clone(),
        role,
        initial_delivery_count,
        source: None,
        target: None,
        unsettled: None,
        properties: None,
        ..attach
    };
    let detach = Detach { handle, closed: true, error: Some(error) };
    let frames = [Performative::Attach(attach), Performative::Detach(detach)];
    frames.iter().flat_map(encode).collect()
}

/// A frame of channel 0 with this performative, without payload.
///
/// Whatever was decoded from a frame of bounded size can be encoded; anything else is left out.
#[must_use]
pub fn encode(performative: &Performative) -> Vec<u8> {
    let body = serde_amqp::to_vec(performative).unwrap_or_default();
    let Ok(size) = u32::try_from(HEADER + body.len()) else {
        return Vec::new();
    };
    let mut frame = size.to_be_bytes().to_vec();
    frame.extend_from_slice(&EMPTY_FRAME[4..]);
    frame.extend_from_slice(&body);
    frame
}

/// A size that the stack can bear: it reads the rest of a header without asking whether there is one.
fn frame_size(bytes: &[u8]) -> io::Result<usize> {
    let size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    match usize::try_from(size) {
        Ok(usable) if usable >= HEADER && size <= MAX_FRAME => Ok(usable),
        _ => {
            let text =
                format!("a frame of {size} bytes: between {HEADER} and {MAX_FRAME} are allowed");
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        }
    }
}

/// A whole frame of AMQP: its performative, unless it is empty, and the payload after it.
///
/// # Errors
/// It has no performative, or one that a stack cannot bear.
pub fn parse(frame: &[u8]) -> io::Result<(Option<Performative>, &[u8])> {
    let offset = frame.get(4).map_or(0, |&offset| usize::from(offset) * 4);
    let body = frame.get(offset..).filter(|_| offset >= HEADER);
    let body = body.ok_or_else(|| invalid("a frame that ends before its body"))?;
    if body.is_empty() {
        return Ok((None, body));
    }
    let mut nesting = Nesting::new(1);
    nesting.walk(body)?;
    let whole = nesting.left_over().and_then(|left| body.split_at_checked(body.len() - left));
    let (performative, payload) = whole.ok_or_else(|| invalid("a frame without a performative"))?;
    let performative = serde_amqp::from_slice(performative)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    match &performative {
        Performative::Disposition(Disposition { first, last: Some(last), .. })
            if last.wrapping_sub(*first) >= MAX_SETTLED =>
        {
            Err(invalid("a disposition of more deliveries than there can be"))
        }
        _ => Ok((Some(performative), payload)),
    }
}
