"""A text model that writes the alphabet: known ahead, as slow as told, without a network."""

import threading
import time

import torch

LETTERS = "abcdefghij"


class AlphabetSession:
    """After each letter the next one has probability 15/16, each of the nine others 1/144."""

    def __init__(self, model, ids):
        self.model, self.last = model, ids[-1]

    @property
    def logits(self):
        self.model.wait()
        probs = torch.full((len(LETTERS),), (1 / 16) / (len(LETTERS) - 1))
        probs[(self.last + self.model.step) % len(LETTERS)] = 15 / 16
        return probs.log()

    def push(self, index):
        self.last = index


class AlphabetModel:
    """Writes "bcdefghij" after "a"; each letter costs -log2(15/16) bits. With step -1 it goes backwards."""

    family = "ours"
    vocab_size = len(LETTERS)
    context_length = 16
    memory_mib = 2.0
    start_ids = (0,)
    banned_ids = ()
    end_ids = ()
    unknown_id = None

    def __init__(self, name="alphabet", seconds=0.0, breaks_after=None, num_parameters=10, step=1):
        self.name, self.seconds, self.breaks_after = name, seconds, breaks_after
        self.num_parameters, self.step = num_parameters, step
        self.drawn = 0
        self.threads = set()
        self.spans_of_work = []

    def wait(self):
        self.threads.add(threading.get_ident())
        self.drawn += 1
        if self.breaks_after is not None and self.drawn > self.breaks_after:
            raise RuntimeError("out of letters")
        start = time.perf_counter()
        time.sleep(self.seconds)
        self.spans_of_work.append((start, time.perf_counter()))

    def encode(self, text):
        return [LETTERS.index(letter) for letter in text]

    def prompt_ids(self, prompt):
        return self.encode(prompt) or list(self.start_ids)

    def decode(self, ids):
        return "".join(LETTERS[index] for index in ids)

    def token_text(self, index):
        return LETTERS[index]

    def spans(self, text):
        return [(index, place, place + 1) for place, index in enumerate(self.encode(text))]

    def begin(self, ids):
        return AlphabetSession(self, ids)

    def token_logits(self, ids):
        return torch.stack([AlphabetSession(self, [index]).logits for index in ids])

    def attention(self, ids):
        size = len(ids)
        return torch.tril(torch.ones(2, 3, size, size)) / torch.arange(1, size + 1)[:, None]
