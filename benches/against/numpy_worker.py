"""The NumPy side: works written as well as one would, timed on request. Started by against.py."""

import sys
import time

import numpy as np
from threadpoolctl import threadpool_info

rng = np.random.default_rng(1)


def signs(rows, columns):
    return np.where(rng.random((rows, columns), dtype=np.float32) < 0.5, np.float32(-1), np.float32(1))


def couplings(n):
    j = rng.standard_normal((n, n), dtype=np.float32) / np.float32(np.sqrt(n))
    np.fill_diagonal(j, 0)
    return j


def fields(n, patterns, states):
    x, j = signs(states, n), couplings(n)
    h = np.empty((states, n), np.float32)
    return lambda: np.matmul(x, j.T, out=h)


class Epoch:
    """Full-batch gradient ascent on the pseudo-likelihood: two products, everything else in place."""

    def __init__(self, x, lam=0.2, lr=1.0):
        self.x, self.lam, self.lr = x, np.float32(lam), np.float32(lr)
        p, n = x.shape
        self.j = np.zeros((n, n), np.float32)
        self.h = np.empty((p, n), np.float32)
        self.gradient = np.empty((n, n), np.float32)

    def __call__(self):
        h, x = self.h, self.x
        np.matmul(x, self.j.T, out=h)
        h *= x
        h *= self.lam
        np.exp(h, out=h)
        h += 1
        np.divide(x, h, out=h)
        np.matmul(h.T, x, out=self.gradient)
        self.gradient *= self.lr / np.float32(len(x))
        self.j += self.gradient
        np.fill_diagonal(self.j, 0)


class GramEpoch:
    """The same descent in the span of the patterns."""

    def __init__(self, x, lam=0.2, lr=1.0):
        self.x, self.lam, self.lr = x, np.float32(lam), np.float32(lr)
        self.k = x @ x.T
        self.a = np.zeros_like(x)
        self.h = np.empty_like(x)
        self.r = np.empty_like(x)

    def __call__(self):
        x, a, h, r = self.x, self.a, self.h, self.r
        n = np.float32(x.shape[1])
        np.matmul(self.k, a, out=h)
        np.multiply(x, a, out=r)
        own = r.sum(axis=0)
        h *= x
        h -= own
        h *= self.lam / n
        np.exp(h, out=h)
        h += 1
        np.divide(x, h, out=h)
        h *= self.lr * n / np.float32(len(x))
        a += h


def hebb_couplings(x):
    j = x.T @ x
    np.fill_diagonal(j, 0)
    return j


def hebb(n, patterns, states):
    x = signs(patterns, n)
    return lambda: hebb_couplings(x)


def settle(j, x, limit=100):
    """Parallel updates until each state is fixed or in a cycle of period 2; these leave the batch."""
    final = x.copy()
    moving = np.arange(len(x))
    last = np.zeros_like(x)
    for _ in range(limit):
        h = x @ j.T
        following = np.where(h > 0, np.float32(1), np.where(h < 0, np.float32(-1), x))
        done = (following == x).all(axis=1) | (following == last).all(axis=1)
        final[moving[done]] = following[done]
        keep = ~done
        moving, last, x = moving[keep], x[keep], following[keep]
        if not len(moving):
            break
    final[moving] = x
    return final


def recall(n, patterns, states):
    stored = signs(max(n // 20, 1), n)
    j = hebb_couplings(stored)
    starts = stored[np.arange(states) % len(stored)]
    starts = np.where(rng.random(starts.shape, dtype=np.float32) < 0.15, -starts, starts)
    return lambda: settle(j, starts)


def check(folder):
    load = lambda name: np.load(f"{folder}/{name}.npy")
    x = load("data").astype(np.float32)
    p, n = x.shape
    hebb_ours = load("hebb")
    assert np.array_equal(np.rint(hebb_ours * n), hebb_couplings(x)), "Hebb couplings differ"
    epoch, gram = Epoch(x), GramEpoch(x)
    for _ in range(3):
        epoch()
        gram()
    span = gram.a.T @ x / n
    np.fill_diagonal(span, 0)
    for name, theirs in [("direct", epoch.j), ("gram", epoch.j), ("direct", span)]:
        difference = np.linalg.norm(load(name) - theirs) / np.linalg.norm(theirs)
        assert difference < 1e-4, f"{name}: couplings after three epochs differ by {difference}"
    final = settle(hebb_couplings(x), load("initial").astype(np.float32), 1000)
    same = (final == load("final")).all(axis=1).mean()
    assert same == 1, f"{same} of the recalled states agree"


WORKS = {
    "fields": fields,
    "fields-few": fields,
    "epoch": lambda n, p, m: Epoch(signs(p, n)),
    "epoch-small": lambda n, p, m: Epoch(signs(p, n)),
    "epoch-gram": lambda n, p, m: GramEpoch(signs(p, n)),
    "hebb": hebb,
    "recall": recall,
}

if __name__ == "__main__":
    if sys.argv[1] == "check":
        check(sys.argv[2])
        sys.exit()
    work = WORKS[sys.argv[1]](*map(int, sys.argv[2:5]))
    blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
    core = blas[0].get("architecture", "?") if blas else "?"
    print(f"NumPy {np.__version__} ({core})", flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        work()
        print(time.perf_counter() - begun, flush=True)
