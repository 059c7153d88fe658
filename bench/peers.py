"""Solves models/mnist_node.lua's equation by another library, for lrnde-bench's gpu_solve_* cases (peer.c).

    python3 bench/peers.py torchdiffeq|diffrax FOLDER BATCH TOLERANCE T1

FOLDER holds weights.safetensors and u0.f32, (batch, 784); there goes u1.f32, the solution at T1.  Prints "ready NFE NAME VERSION
on DEVICE" once it has solved, or "missing WHY"; then solves as often as a line on stdin says, and prints "done" for each line.
"""
import json
import struct
import sys


def tensors(path):
    """{ name: array } of a safetensors file in single precision."""
    import numpy
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(length)), f.read()
    return {name: numpy.frombuffer(data[slice(*x["data_offsets"])], "<f4").reshape(x["shape"])
            for name, x in header.items() if name != "__metadata__"}


def problem(folder, batch):
    """Each layer's matrix without the column of t, that column, and its bias; u0."""
    import numpy
    w = tensors(folder + "/weights.safetensors")
    matrices = [(w["dynamics.%d.weight" % i], w["dynamics.%d.bias" % i]) for i in (0, 1)]
    layers = [(matrix[:, :-1], matrix[:, -1], bias) for matrix, bias in matrices]
    return layers, numpy.fromfile(folder + "/u0.f32", "<f4").reshape(batch, -1)


def torchdiffeq(folder, batch, tolerance, t1):
    """dopri5, without gradients; products in full single precision."""
    import torch
    import torchdiffeq as library
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = False
    layers, u0 = problem(folder, batch)
    (w1, t_1, b1), (w2, t_2, b2) = [[torch.tensor(x.copy(), device=device) for x in layer] for layer in layers]
    w1, w2, u0, t = w1.T, w2.T, torch.tensor(u0, device=device), torch.tensor([0.0, t1], device=device)
    evaluations = [0]

    def f(t, u):
        evaluations[0] += 1
        return torch.addmm(b2 + t_2 * t, torch.tanh(torch.addmm(b1 + t_1 * t, u, w1)), w2)

    def solve():
        with torch.no_grad():
            end = library.odeint(f, u0, t, rtol=tolerance, atol=tolerance, method="dopri5")[-1]
        if device == "cuda":
            torch.cuda.synchronize()
        return end.cpu().numpy(), evaluations[0]

    return solve, "torchdiffeq %s, torch %s, dopri5 on %s" % (library.__version__, torch.__version__, device)


def diffrax(folder, batch, tolerance, t1):
    """Tsit5, compiled; products in full single precision."""
    import jax
    import jax.numpy as np
    import diffrax as library
    layers, u0 = problem(folder, batch)
    (w1, t_1, b1), (w2, t_2, b2) = [[np.array(x) for x in layer] for layer in layers]
    u0 = np.array(u0)

    def f(t, u, args):
        hidden = np.tanh(np.dot(u, w1.T, precision="highest") + b1 + t_1 * t)
        return np.dot(hidden, w2.T, precision="highest") + b2 + t_2 * t

    @jax.jit
    def compiled(u):
        s = library.diffeqsolve(library.ODETerm(f), library.Tsit5(), 0.0, t1, None, u, max_steps=16384,
                                stepsize_controller=library.PIDController(rtol=tolerance, atol=tolerance),
                                saveat=library.SaveAt(t1=True))
        return s.ys[-1], s.stats["num_steps"]

    def solve():
        end, steps = compiled(u0)
        return end.block_until_ready(), 3 + 6 * int(steps)

    return solve, "diffrax %s, jax %s, Tsit5 on %s" % (library.__version__, jax.__version__, jax.devices()[0].device_kind)


def main(name, folder, batch, tolerance, t1):
    try:
        solve, about = {"torchdiffeq": torchdiffeq, "diffrax": diffrax}[name](folder, int(batch), float(tolerance), float(t1))
    except ImportError as missing:
        print("missing %s" % missing, flush=True)
        return
    end, evaluations = solve()
    with open(folder + "/u1.f32", "wb") as f:
        f.write(end.astype("<f4").tobytes())
    print("ready %d %s" % (evaluations, about), flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            solve()
        print("done", flush=True)


main(*sys.argv[1:])
