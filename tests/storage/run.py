"""Runs a command beside a real server of S3 and a proxy that makes it fail.

usage: run.py FOLDER COMMAND...

The command's environment says by AWS's own variables how the server is reached
(through the proxy) and as whom; TESSERA_TEST_S3 is the server's own address,
and the bucket "tessera" is there. Python packages of requirements.txt are
installed into FOLDER once. Where that cannot be done, as without a network, the
reason is printed and the exit code is 77: the test is skipped.
"""
import fcntl
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import fault_proxy

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
START_SECONDS = 60


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def prepare(folder):
    """Makes FOLDER/venv; does nothing where it is there."""
    stamp = folder / "ready"
    text = (HERE / "requirements.txt").read_text()
    if stamp.is_file() and stamp.read_text() == text:
        return
    made = subprocess.run([sys.executable, "-m", "venv", folder / "venv"],
                          capture_output=True, text=True, check=False)
    if made.returncode:
        skip("no virtual environment: install python3-venv")
    run = subprocess.run(
        [folder / "venv/bin/python", "-m", "pip", "--quiet",
         "--disable-pip-version-check", "install", "-r",
         HERE / "requirements.txt"], text=True, capture_output=True,
        check=False)
    if run.returncode:
        lines = run.stderr.strip().splitlines() or ["no message"]
        skip(f"pip install failed, is there a network? {lines[-1]}")
    stamp.write_text(text)


def start_server(folder):
    """Returns (process, (host, port)) of a server that answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen(
        [folder / "venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/tessera", method="PUT")
            urllib.request.urlopen(request, timeout=5).close()
            return process, ("127.0.0.1", port)
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit("the server of S3 does not start")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may start together
        prepare(folder)
    process, address = start_server(folder)
    proxy = fault_proxy.start(address)
    environment = dict(
        os.environ, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
        AWS_REGION="us-east-1",
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{proxy.server_address[1]}",
        TESSERA_TEST_S3=f"http://{address[0]}:{address[1]}")
    try:
        code = subprocess.run(sys.argv[2:], env=environment,
                              check=False).returncode
    finally:
        process.kill()
        process.wait()
    sys.exit(code)


if __name__ == "__main__":
    main()
