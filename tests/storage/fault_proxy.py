"""A proxy before an HTTP server that fails the way networks and servers do.

POST /faults takes a JSON list of faults, which replaces those before:

    {"method": "PUT", "match": "images/", "what": "503", "times": 2}

`method` and `match` (a part of the path) choose requests, `times` of them; what
befalls them is `what`:

    503    answered with SlowDown, not handed on
    500    answered with InternalError, not handed on
    drop   the connection closes, not handed on
    lost   handed on, and the connection closes without an answer
    half   handed on, and the connection closes in the middle of the answer
"""
import http.client
import http.server
import json
import threading

ERROR = ('<?xml version="1.0"?><Error><Code>{}</Code>'
         "<Message>made up by the proxy</Message></Error>")
# Headers of one connection, which the other does not have.
HOP = {"connection", "transfer-encoding", "keep-alive", "content-length",
       "expect"}


class Faults:
    """The faults that are still to come."""

    def __init__(self):
        self.lock = threading.Lock()
        self.left = []
        self.seen = 0

    def replace(self, faults):
        with self.lock:
            self.left = [dict(f) for f in faults]

    def take(self, method, path):
        """Returns what befalls a request; None: nothing."""
        with self.lock:
            for fault in self.left:
                if (fault.get("method", method) == method and
                        fault.get("match", "") in path and
                        fault.get("times", 1) > 0):
                    fault["times"] = fault.get("times", 1) - 1
                    self.seen += 1
                    return fault["what"]
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()

    def forward(self, body):
        """Returns (status, headers, body) of the server behind."""
        connection = http.client.HTTPConnection(*self.server.target)
        connection.putrequest(self.command, self.path, skip_host=True,
                              skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        found = connection.getresponse()
        answer = found.status, found.getheaders(), found.read()
        connection.close()
        return answer

    def handle_any(self):
        body = self.body()
        if self.path == "/faults":
            if self.command == "POST":
                self.server.faults.replace(json.loads(body))
            return self.answer(200, str(self.server.faults.seen).encode())
        what = self.server.faults.take(self.command, self.path)
        if what in ("503", "500"):
            code = "SlowDown" if what == "503" else "InternalError"
            return self.answer(int(what), ERROR.format(code).encode())
        if what == "drop":
            return self.hang_up()
        status, headers, content = self.forward(body)
        if what == "lost":
            return self.hang_up()
        # The length of a HEAD is that of what is not sent.
        if self.command == "HEAD":
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in HOP - {"content-length"}:
                    self.send_header(name, value)
            return self.end_headers()
        kept = [(n, v) for n, v in headers if n.lower() not in HOP]
        if what == "half":
            self.send_response(status)
            for name, value in kept:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + 1))
            self.end_headers()
            self.wfile.write(content[:len(content) // 2])
            return self.hang_up()
        return self.answer(status, content, kept)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any


def start(target):
    """Starts a proxy before `target`, (host, port); returns its server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.target = target
    server.faults = Faults()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
