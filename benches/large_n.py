#!/usr/bin/env python3
"""Time of an epoch against N, with J in memory and in files.

    python3 benches/large_n.py [--sizes 4096,8192,16384] [--patterns 1024] [--route direct] [--program target/release/attractor] [--folder .]

An epoch is the difference between a run of 2 epochs and one of 2 + E, divided by E, so that start, evaluation and output do not count; both
kinds of run alternate. E is --epochs at the largest N, and more in proportion at smaller ones, whose epochs are short. Sizes whose two
generations do not fit the machine's memory are measured in files alone. The slope is that of log time against log N between neighbouring
sizes. Beside seconds stands the processor time in files, of all threads: where the disk is waited for, an epoch more hides in the wait, and
takes processor time but fewer seconds.
"""

import argparse
import json
import math
import pathlib
import resource
import subprocess
import tempfile


def processor_seconds():
    """Of all programs that were run and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", default="4096,8192,16384")
    options.add_argument("--patterns", type=int, default=1024)
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--rows", type=int, help="learn so many rows alone, a shard: what an epoch computes, without a pass over J")
    options.add_argument("--route", default="direct")
    options.add_argument("--program", default="target/release/attractor")
    options.add_argument("--folder", default=".", help="where files of 8 N^2 bytes are made")
    options = options.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    previous = {}
    print("N\tin memory / s\tin files / s\tratio\tslope in memory\tslope in files\tprocessor in files / s\tslope")
    sizes = [int(size) for size in options.sizes.split(",")]
    for n in sizes:
        n_epochs = math.ceil(options.epochs * max(sizes) / n)
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:

            def run(arguments):
                words = [program, *arguments.split(), "--json", "--quiet"]
                done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
                if done.returncode:
                    raise SystemExit(done.stderr)
                return json.loads(done.stdout) if done.stdout.strip() else None

            run(f"generate random --n {n} --patterns {options.patterns} -o data")
            train = f"train data --route {options.route} --eval-states 1 --eval-steps 1 -o J --force"
            if options.rows:
                train += f" --rows 0..{options.rows}"
            estimate = run(f"{train} --epochs 1 --dry-run")
            fixed = estimate["memory_bytes"] - estimate["array_bytes"]
            with open("/proc/meminfo") as meminfo:
                available = next(int(line.split()[1]) << 10 for line in meminfo if line.startswith("MemAvailable"))
            budgets = {"files": int(1.05 * fixed) + (1 << 20)}
            if estimate["memory_bytes"] < 0.8 * available:
                budgets = {"memory": 2 * estimate["memory_bytes"], **budgets}
            seconds, processor = {}, 0.0
            for epochs in (2, 2 + n_epochs):
                for where, budget in budgets.items():
                    before = processor_seconds()
                    done = run(f"{train} --epochs {epochs} --memory {budget}")
                    if where == "files":
                        processor = processor_seconds() - before - processor
                    seconds[where] = done["seconds"] - seconds.get(where, 0.0)
        epoch = {where: time / n_epochs for where, time in seconds.items()}
        epoch["processor"] = processor / n_epochs

        def slope(where):
            if where not in previous or where not in epoch:
                return "-"
            before, size = previous[where]
            return f"{math.log(epoch[where] / before) / math.log(n / size):.2f}"

        ratio = epoch["files"] / epoch["memory"] if "memory" in epoch else math.nan
        memory = f"{epoch['memory']:.3f}" if "memory" in epoch else "-"
        slopes = slope("memory"), slope("files"), f"{epoch['processor']:.3f}", slope("processor")
        print(n, memory, f"{epoch['files']:.3f}", f"{ratio:.2f}", *slopes, sep="\t", flush=True)
        previous.update({where: (time, n) for where, time in epoch.items()})


main()
