"""Make torchaudio importable beside a CPU build of torch.

The torchaudio wheel of the package index holds extension libraries that are linked to CUDA. Beside a CPU build of
torch they cannot be loaded, and ``import torchaudio`` fails. Without the library files torchaudio imports, and
everything in it that is Python works: its loader treats a missing library as a supported state. So, where the import
fails and torch has no CUDA, the files are renamed to ``*.so.aside``. Where the import works, beside a CUDA build of
torch for instance, nothing is touched. Running this again changes nothing.

Run it with the interpreter of the environment to repair::

    .venv/bin/python envs/fix_torchaudio.py

It ends with a check that a Kaldi filter bank and a resampler really compute; if they do not, it says why in one line.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

ASIDE = ".aside"

CHECK = """
import torch, torchaudio
noise = torch.randn(1, 16000)
fbank = torchaudio.compliance.kaldi.fbank(noise, num_mel_bins=80)
assert fbank.shape == (98, 80), f"a filter bank of shape {tuple(fbank.shape)}"
resampled = torchaudio.transforms.Resample(16000, 8000)(noise)
assert resampled.shape == (1, 8000), f"resampled to shape {tuple(resampled.shape)}"
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter: a failed import leaves torch's own registries half-filled."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def last_line(text: str) -> str:
    """Return the last line of a traceback, the one that names the error."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no message"


def library_files() -> list[Path]:
    """Find the extension libraries without importing the package."""
    spec = importlib.util.find_spec("torchaudio")
    if spec is None or spec.origin is None:
        raise SystemExit("torchaudio is not installed in this environment: run `make setup`")
    return sorted((Path(spec.origin).parent / "lib").glob("*.so"))


def torch_has_cuda() -> bool:
    """Tell whether torch is a CUDA build, whatever the machine has."""
    found = run("import torch; print(torch.version.cuda is not None)")
    if found.returncode != 0:
        raise SystemExit(f"torch cannot be imported: {last_line(found.stderr)}")
    return found.stdout.strip() == "True"


def main() -> None:
    """Put the libraries aside if they are what breaks the import, then check that torchaudio works."""
    if run("import torchaudio").returncode != 0 and not torch_has_cuda():
        for library in library_files():
            library.rename(library.with_name(library.name + ASIDE))
            print(f"torchaudio beside a CPU build of torch: put {library.name} aside")
    check = run(CHECK)
    if check.returncode != 0:
        raise SystemExit(f"torchaudio does not work in this environment: {last_line(check.stderr)}")


if __name__ == "__main__":
    main()
