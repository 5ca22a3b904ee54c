"""The JAX side (XLA on the CPU): compiled once, buffers donated. Started by against.py --library jax."""

import sys
import time

import jax
import jax.numpy as jnp

from numpy_worker import couplings, signs


def fields(n, patterns, states):
    x, j = jnp.asarray(signs(states, n)), jnp.asarray(couplings(n))
    product = jax.jit(lambda x, j: x @ j.T)
    return lambda: product(x, j).block_until_ready()


class Epoch:
    """Full-batch gradient ascent on the pseudo-likelihood."""

    def __init__(self, x, lam=0.2, lr=1.0):
        p, n = x.shape
        self.x = jnp.asarray(x)
        self.j = jnp.zeros((n, n), jnp.float32)

        def step(j, x):
            residual = x * jax.nn.sigmoid(-lam * x * (x @ j.T))
            j = j + (lr / p) * (residual.T @ x)
            return jnp.fill_diagonal(j, 0.0, inplace=False)

        self.step = jax.jit(step, donate_argnums=0)

    def __call__(self):
        self.j = self.step(self.j, self.x).block_until_ready()


WORKS = {"fields": fields, "fields-few": fields, "epoch": lambda n, p, m: Epoch(signs(p, n))}

if __name__ == "__main__":
    work = WORKS[sys.argv[1]](*map(int, sys.argv[2:5]))
    print(f"JAX {jax.__version__} ({jax.devices()[0].platform})", flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        work()
        print(time.perf_counter() - begun, flush=True)
