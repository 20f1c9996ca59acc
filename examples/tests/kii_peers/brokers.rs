//! The two brokers of the protocol, each a Mosquitto, and all that a thing needs to know to come.

use std::sync::{Arc, Mutex, MutexGuard};

use examples::{certificates::Certificates, peers::Mosquitto};
use iot_sansio::mqtt::{ConnectOptions, Transport};
use kii_onboard::{
    App, DefaultBroker, Ports, TransportKind, VendorThingId, onboarding::ThingOnboarding, thing,
};

pub(crate) const APP_ID: &str = "app01";
pub(crate) const APP_KEY: &str = "key01";
pub(crate) const THING_PASSWORD: &str = "p1";
/// By number: the name may be ::1 first, where nobody listens.
pub(crate) const HOST: &str = "127.0.0.1";
/// Who the cloud is at both brokers: user name and password.
pub(crate) const CLOUD: (&str, &str) = ("cloud", "password of the cloud");

/// They admit the cloud, and the default broker the application.
pub(crate) struct Brokers {
    certificates: Certificates,
    app: App,
    default: Mosquitto,
    second: Arc<Mutex<Mosquitto>>,
}

impl Brokers {
    /// None when Mosquitto is not installed: that is printed.
    pub(crate) fn start() -> Option<Self> {
        let certificates = Certificates::generate().expect("certificates");
        let mut default = Mosquitto::start(&certificates)?;
        let mut second = Mosquitto::start(&certificates)?;
        let app = App::new(APP_ID, APP_KEY).expect("a good id and key");
        let password = app.password();
        let password = password.expose_str().expect("a text");
        default.admit(&app.user_name(), password).expect("a password file");
        for broker in [&mut default, &mut second] {
            broker.admit(CLOUD.0, CLOUD.1).expect("a password file");
        }
        Some(Self { certificates, app, default, second: Arc::new(Mutex::new(second)) })
    }

    pub(crate) fn ca_pem(&self) -> &str {
        self.certificates.ca_pem()
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn default_ports(&self) -> Ports {
        ports(&self.default)
    }

    pub(crate) fn second_ports(&self) -> Ports {
        ports(&self.second())
    }

    pub(crate) fn second(&self) -> MutexGuard<'_, Mosquitto> {
        self.second.lock().expect("nothing panics with it")
    }

    /// The second broker, for whoever admits things to it.
    pub(crate) fn share_second(&self) -> Arc<Mutex<Mosquitto>> {
        Arc::clone(&self.second)
    }

    /// How the cloud connects to both.
    pub(crate) fn cloud_options(&self) -> [ConnectOptions; 2] {
        [self.default.port(), self.second().port()].map(|port| {
            ConnectOptions::new(HOST, port, Transport::Tcp, "cloud")
                .with_credentials(CLOUD.0, CLOUD.1)
        })
    }

    /// A thing that connects over this kind of transport.
    pub(crate) fn thing(&self, vendor_id: &str, kind: TransportKind) -> thing::Config {
        self.thing_of(self.app.clone(), vendor_id, kind)
    }

    /// The same with the credentials of another application, or with wrong ones.
    pub(crate) fn thing_of(&self, app: App, vendor_id: &str, kind: TransportKind) -> thing::Config {
        let vendor_id = VendorThingId::new(vendor_id).expect("a good id");
        let onboarding = ThingOnboarding::with_vendor_thing_id(vendor_id, THING_PASSWORD);
        let onboarding = onboarding.expect("a password");
        let mut broker = DefaultBroker::new(HOST);
        broker.ports = self.default_ports();
        thing::Config::new(app, broker, onboarding).with_transport(kind)
    }
}

fn ports(broker: &Mosquitto) -> Ports {
    Ports {
        tcp: Some(broker.port()),
        ssl: Some(broker.tls_port()),
        ws: Some(broker.ws_port()),
        wss: Some(broker.wss_port()),
    }
}
