#!/usr/bin/env python3
"""The same work in NumPy (or JAX) and in attractor, alternating in one run: ratios of times. See README.md beside this file."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
ROOT = HERE.parents[2]
PROGRAM = ROOT / "target" / "release" / "attractor"
VENV = ROOT / "target" / "against"
# Settings for old builds of OpenBLAS on unknown processors: they slow a current one down.
UNSET = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]


def python_with(library):
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    if subprocess.run([python, "-c", f"import {library}"], capture_output=True).returncode != 0:
        subprocess.run([python, "-m", "pip", "install", "--quiet", library, "threadpoolctl"], check=True)
    return python


class Theirs:
    """A worker process with a fixed number of threads; `run` times one repetition there."""

    def __init__(self, work, threads, options):
        environment = {name: value for name, value in os.environ.items() if name not in UNSET}
        environment["OPENBLAS_NUM_THREADS"] = environment["OMP_NUM_THREADS"] = str(threads)
        environment["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()}"
        sizes = [str(options.n), str(options.patterns), str(options.states)]
        worker = HERE.with_name(f"{options.library}_worker.py")
        command = [python_with(options.library), worker, work, *sizes]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.description = self.process.stdout.readline().strip()

    def run(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ours(work, threads, options):
    sizes = ["--n", options.n, "--patterns", options.patterns, "--states", options.states]
    name, _, variant = work.partition("-")
    route = ["--route", "gram"] if variant == "gram" else ["--route", "automatic"]
    command = [PROGRAM, "bench", name, *sizes, *route, "--threads", threads, "--runs", 1, "--json", "--quiet"]
    printed = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
    # Of recall, the line of many states is the last.
    return json.loads(printed)[-1]["seconds"]


def check():
    """Both sides compute the same, on small inputs."""
    with tempfile.TemporaryDirectory() as folder:
        run = lambda *arguments: subprocess.run([PROGRAM, *arguments, "--quiet"], cwd=folder, check=True)
        run("generate", "random", "--n", "300", "--patterns", "80", "-o", "data")
        run("export", "data", "-o", "data.npy")
        run("train", "data", "--rule", "hebb", "-o", "hebb")
        run("export", "hebb", "-o", "hebb.npy")
        for route in ["direct", "gram"]:
            run("train", "data", "--init", "zero", "--epochs", "3", "--route", route, "-o", route)
            run("export", route, "-o", route + ".npy")
        run("recall", "hebb", "data", "--overlap", "0.7", "-o", "states")
        run("export", "states", "--part", "initial", "-o", "initial.npy")
        run("export", "states", "--part", "final", "-o", "final.npy")
        subprocess.run([python_with("numpy"), HERE.with_name("numpy_worker.py"), "check", folder], check=True)


WORKS = {
    "fields": {},
    "fields-few": {"states": 256},
    "epoch": {},
    "epoch-small": {"n": 8192, "patterns": 819},
    "epoch-gram": {"n": 8192, "patterns": 819},
    "hebb": {"n": 8192, "patterns": 8192},
    "recall": {"states": 2048},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("works", nargs="*", choices=[[], *WORKS], default=[], help="default: all")
    parser.add_argument("--n", type=int, default=4096)
    parser.add_argument("--patterns", type=int, default=4096)
    parser.add_argument("--states", type=int, default=4096)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--library", choices=["numpy", "jax"], default="numpy", help="jax: fields and epoch only")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    check()
    rows = []
    works = options.works or (WORKS if options.library == "numpy" else ["fields", "fields-few", "epoch"])
    for work in works:
        sized = argparse.Namespace(**{**vars(options), **WORKS[work]})
        for threads in options.threads:
            theirs = Theirs(work, threads, sized)
            theirs.run(), ours(work, threads, sized)
            pairs = [(theirs.run(), ours(work, threads, sized)) for _ in range(options.runs)]
            theirs.close()
            ratios = [their_time / our_time for their_time, our_time in pairs]
            row = {
                "work": work,
                "n": sized.n,
                "patterns": sized.patterns,
                "states": sized.states,
                "threads": threads,
                "their_seconds": statistics.median(their_time for their_time, _ in pairs),
                "seconds": statistics.median(our_time for _, our_time in pairs),
                "ratio": statistics.median(ratios),
                "ratio_min": min(ratios),
                "ratio_max": max(ratios),
                "against": theirs.description,
            }
            rows.append(row)
            if not options.json:
                print(
                    f"{work:12} N = {sized.n}, P = {sized.patterns}, M = {sized.states}, {threads} thread(s): "
                    f"{row['ratio']:.2f} ({row['ratio_min']:.2f} to {row['ratio_max']:.2f}) times {theirs.description}",
                    flush=True,
                )
    if options.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
