"""What the references share to make their inputs: choices from a fixed seed, and JSON in one of the ways to write it."""

import json
import random


class RandomJson:
    # How often a text is written with escapes that it does not need.
    escapes = 0.1

    def __init__(self, seed):
        self.random = random.Random(seed)

    def one_of(self, *choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def word(self, alphabet, least, most):
        return "".join(self.random.choices(alphabet, k=self.random.randint(least, most)))

    def around(self, limit):
        return limit + self.one_of(-2, -1, 0, 1, 2)

    def space(self):
        return self.word(" \t\r\n", 0, 2) if self.chance(0.1) else ""

    def string(self, text):
        """A text as JSON."""
        if self.chance(self.escapes):
            pieces = [self.escaped(char) if self.chance(0.3) else json.dumps(char)[1:-1] for char in text]
            return '"' + "".join(pieces) + '"'
        return json.dumps(text, ensure_ascii=self.chance(0.5))

    def escaped(self, char):
        units = char.encode("utf-16-be")
        return "".join(f"\\u{units[at]:02x}{units[at + 1]:02X}" for at in range(0, len(units), 2))

    def object(self, members):
        """These pairs of names and texts of values, with space between the tokens now and then."""
        space, parts = self.space, []
        for name, value in members:
            parts.append(space() + self.string(name) + space() + ":" + space() + value + space())
        return "{" + ",".join(parts) + "}"
