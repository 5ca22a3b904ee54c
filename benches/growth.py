#!/usr/bin/env python3
"""How the time of an epoch grows with N and with P: slopes on logarithmic axes over a decade each.

    cargo build --release && python3 benches/growth.py
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "target" / "release" / "attractor"


def seconds(n, patterns, options):
    command = [PROGRAM, "bench", "epoch", "--route", "direct", "--n", n, "--patterns", patterns]
    command += ["--threads", options.threads, "--runs", options.runs, "--json", "--quiet"]
    printed = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
    return json.loads(printed)[0]["seconds"]


def slope(xs, ys):
    """Least squares of log y on log x, with its standard error."""
    xs, ys = [math.log(x) for x in xs], [math.log(y) for y in ys]
    mean_x, mean_y = statistics.mean(xs), statistics.mean(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    b = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / spread
    rest = sum((y - mean_y - b * (x - mean_x)) ** 2 for x, y in zip(xs, ys))
    return b, math.sqrt(rest / (len(xs) - 2) / spread)


def grow(name, sizes, shape, options):
    # Sizes in turn, round after round, so that a machine whose speed drifts does not tilt the line.
    rounds = [[seconds(*shape(size), options) for size in sizes] for _ in range(options.rounds)]
    times = [statistics.median(times) for times in zip(*rounds)]
    b, error = slope(sizes, times)
    for size, time in zip(sizes, times):
        print(f"{name} = {size:6}: {time:.4g} s")
    print(f"time grows as {name}^({b:.3f} +- {error:.3f})\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3, help="timed epochs of a size and round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    grow("N", [800, 1600, 2800, 4800, 8000], lambda n: (n, 2048), options)
    grow("P", [1600, 3200, 5600, 9600, 16000], lambda p: (2048, p), options)


if __name__ == "__main__":
    main()
