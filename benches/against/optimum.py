"""The optimum of the pseudo-likelihood beside scikit-learn, neuron by neuron: the same couplings, and the time they take.

    python3 benches/against/optimum.py DATA [--lambda L] [--l2 L2] [--neurons K] [--fields] [--threads T]

Needs numpy, scikit-learn and safetensors, and `attractor` built with --release. Neuron i is a logistic regression of spin i on all
others: with w = lambda J, C = lambda / (P l2), its intercept lambda theta is not regularised. scikit-learn solves K of the neurons
with each of its solvers, T at a time; attractor solves all. Times are per neuron; gradients are those of the solutions in f64,
relative to that at 0, so that no side stops earlier unseen.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("--lambda", dest="lam", type=float, default=1.0)
parser.add_argument("--l2", type=float, default=0.01)
parser.add_argument("--neurons", type=int, default=16)
parser.add_argument("--fields", action="store_true")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--tolerance", type=float, default=1e-6)
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()
# Neurons are shared out to processes; one BLAS thread each.
for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]:
    os.environ[name] = "1"

import numpy as np
from joblib import Parallel, delayed
from safetensors import safe_open
from sklearn.linear_model import LogisticRegression

with safe_open(options.data, "np") as f:
    n = int(f.metadata()["n"])
    bits = np.unpackbits(f.get_tensor("train"), axis=1, count=n, bitorder="little")
X = 2.0 * bits - 1.0
P = len(X)
lam, l2 = options.lam, options.l2

# Spins that are the same in all patterns are no classification; what is drawn is the same in every run.
moving = np.flatnonzero(np.abs(X.mean(axis=0)) < 1)
neurons = np.random.default_rng(0).choice(moving, min(options.neurons, len(moving)), replace=False)


def relative_gradient(i, J, theta):
    others = np.delete(np.arange(n), i)
    pull = lambda h: X[:, i] / (1 + np.exp(lam * X[:, i] * h)) / P
    def norm(J, theta):
        r = pull(X @ J + theta)
        g = l2 * J[others] - X[:, others].T @ r
        return np.hypot(np.linalg.norm(g), r.sum() if options.fields else 0)
    return norm(J, theta) / norm(np.zeros(n), 0.0)


def polished(i, J, theta):
    """Newton steps in f64, from a solution that is nearly one."""
    others = np.delete(np.arange(n), i)
    A = np.column_stack([X[:, others], np.ones(P)]) if options.fields else X[:, others]
    decay = np.full(A.shape[1], l2)
    if options.fields:
        decay[-1] = 0.0
    w = np.append(J[others], theta) if options.fields else J[others]
    y = X[:, i]
    for _ in range(4):
        sigma = 1 / (1 + np.exp(lam * y * (A @ w)))
        gradient = decay * w - A.T @ (y * sigma) / P
        hessian = np.diag(decay) + lam / P * (A.T * (sigma * (1 - sigma))) @ A
        w = w - np.linalg.solve(hessian, gradient)
    return np.insert(w[: n - 1], i, 0), w[-1] if options.fields else 0.0


def by_sklearn(solver, tolerance):
    def fit(i):
        model = LogisticRegression(
            C=lam / (P * l2), fit_intercept=options.fields, solver=solver, tol=tolerance, max_iter=100000
        )
        model.fit(np.delete(X, i, axis=1), X[:, i])
        return np.insert(model.coef_[0], i, 0) / lam, float(model.intercept_[0]) / lam if options.fields else 0.0

    begun = time.perf_counter()
    found = Parallel(options.threads)(delayed(fit)(i) for i in neurons)
    return (time.perf_counter() - begun) / len(neurons), found


def by_attractor():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "J.safetensors")
        command = ["target/release/attractor", "train", options.data, "--solver", "lbfgs", "--lambda", str(lam), "--l2", str(l2)]
        command += ["--tolerance", str(options.tolerance), "--init", "zero", "--threads", str(options.threads)]
        command += ["--eval-states", "1", "--eval-steps", "1", "-o", path, "--json"] + ["--fields"] * options.fields
        result = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        with safe_open(path, "np") as f:
            J = f.get_tensor("J").astype(float)
            theta = f.get_tensor("theta").astype(float) if options.fields else np.zeros(n)
        return result["seconds"] / n, [(J[i], theta[i]) for i in neurons], result


def largest_gradient(found):
    return max(relative_gradient(i, J, theta) for i, (J, theta) in zip(neurons, found))


_, exact = by_sklearn("newton-cholesky", 1e-12)
exact = [polished(i, J, theta) for i, (J, theta) in zip(neurons, exact)]
print(f"N = {n}, P = {P}, lambda {lam}, l2 {l2}, {len(neurons)} neurons, {options.threads} threads")
solvers = ["lbfgs", "newton-cholesky", "newton-cg"] + ["liblinear"] * (not options.fields)
# Tolerances of scikit-learn are absolute; these reach the same relative gradient or a little less.
tolerances = {"lbfgs": 1e-6, "newton-cholesky": 1e-6, "newton-cg": 1e-6, "liblinear": 1e-5}
times = {name: [] for name in ["attractor"] + solvers}
for _ in range(options.rounds):
    seconds, found, result = by_attractor()
    times["attractor"].append(seconds)
    ours = found
    for solver in solvers:
        seconds, found = by_sklearn(solver, tolerances[solver])
        times[solver].append(seconds)
        if len(times[solver]) == 1:
            print(f"  {solver}: largest relative gradient {largest_gradient(found):.1e}")
print(f"  attractor: largest relative gradient {largest_gradient(ours):.1e}, {result['searches']}, gradients {result['gradients']}")
difference = max(np.abs(J - K).max() / np.linalg.norm(K) for (J, _), (K, _) in zip(ours, exact))
absolute = max(np.abs(J - K).max() for (J, _), (K, _) in zip(ours, exact))
print(f"  largest difference of a coupling from scikit-learn's newton-cholesky, polished: {absolute:.1e}, {difference:.1e} of |J_i|")
if options.fields:
    print(f"  of a field: {max(abs(a - b) for (_, a), (_, b) in zip(ours, exact)):.1e}")
print("  seconds a neuron (median), and times attractor's in each round")
for solver in solvers:
    ratios = np.array(times[solver]) / np.array(times["attractor"])
    print(f"    {solver:16} {np.median(times[solver]):.4f}   {np.median(ratios):.1f} ({ratios.min():.1f} to {ratios.max():.1f})")
print(f"    {'attractor':16} {np.median(times['attractor']):.5f}")
