"""Runs a command beside a real server of S3 and a proxy that makes it fail.

usage: run.py [--check-signatures] FOLDER COMMAND...

With --check-signatures the server refuses what is not signed by the one user
that it has; without, it takes whatever is signed. The command's environment says by AWS's own variables how the server is reached
(through the proxy) and as whom; TESSERA_TEST_S3 is the server's own address,
and the bucket "tessera" is there. Python packages of requirements.txt are
installed into FOLDER once. Where that cannot be done, as without a network, the
reason is printed and the exit code is 77: the test is skipped.
"""
import fcntl
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import fault_proxy

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
START_SECONDS = 60
# What is done before signatures are checked: a user and the bucket.
UNCHECKED = 4


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


def act(port, service, path, method="POST", fields=None):
    """Calls a service of the server without a signature that is right."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", method=method,
        data=urllib.parse.urlencode(fields).encode() if fields else None,
        headers={"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/"
                 f"us-east-1/{service}/aws4_request, SignedHeaders=host, "
                 "Signature=0"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def make_user(port):
    """Makes the one user that may do anything; returns (key, secret)."""
    user = {"UserName": "tester", "Version": "2010-05-08"}
    act(port, "iam", "/", fields={"Action": "CreateUser", **user})
    act(port, "iam", "/", fields={
        "Action": "PutUserPolicy", "PolicyName": "all", "PolicyDocument":
        json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]}), **user})
    made = act(port, "iam", "/", fields={"Action": "CreateAccessKey", **user})
    return tuple(re.search(f"<{tag}>(.*?)</{tag}>", made)[1]
                 for tag in ("AccessKeyId", "SecretAccessKey"))


def start_server(folder, check):
    """Returns (process, port, key, secret) of a server that answers."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    environment = dict(os.environ)
    if check:
        environment["INITIAL_NO_AUTH_ACTION_COUNT"] = str(UNCHECKED)
    process = subprocess.Popen(
        [folder / "venv/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    else:
        process.kill()
        sys.exit("the server of S3 does not start")
    key, secret = make_user(port) if check else ("test", "test")
    act(port, "s3", "/tessera", "PUT")
    return process, port, key, secret


def main():
    words = sys.argv[1:]
    check = words[0] == "--check-signatures"
    folder, *command = words[1:] if check else words
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may start together
        prepare(folder)
    process, port, key, secret = start_server(folder, check)
    proxy = fault_proxy.start(("127.0.0.1", port))
    environment = dict(
        os.environ, AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret,
        AWS_REGION="us-east-1",
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{proxy.server_address[1]}",
        TESSERA_TEST_S3=f"http://127.0.0.1:{port}")
    try:
        code = subprocess.run(command, env=environment, check=False).returncode
    finally:
        process.kill()
        process.wait()
    sys.exit(code)


if __name__ == "__main__":
    main()
