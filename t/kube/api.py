"""A stand-in for the Kubernetes API: TLS with a CA of its own, one object, and every way to fail."""
import contextlib
import http.server
import json
import os
import socket
import socketserver
import ssl
import subprocess
import threading
import time


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(directory, name):
    """A CA and a server certificate of it: paths of ca.crt and of certificate with key."""
    base = os.path.join(directory, name)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", base + ".key", "-out", base + ".crt",
            "-subj", "/CN=" + name)
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", base + "-api.key", "-out", base + "-api.csr",
            "-subj", "/CN=kube-apiserver")
    with open(base + ".san", "w") as f:
        f.write("subjectAltName=DNS:kubernetes.default.svc,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", base + "-api.csr", "-CA", base + ".crt", "-CAkey", base + ".key", "-CAcreateserial",
            "-days", "2", "-extfile", base + ".san", "-out", base + "-api.crt")
    return base + ".crt", base + "-api.crt", base + "-api.key"


def deployment(replicas, kind="Deployment", padding=0):
    """An object as the API answers it, with what it does not matter for."""
    spec = {"selector": {"matchLabels": {"app": "llama2-7b"}}}
    if replicas != "absent":
        spec["replicas"] = replicas
    return json.dumps({"kind": kind, "apiVersion": "apps/v1",
                       "metadata": {"name": "llama2-7b", "managedFields": [{"padding": "x" * padding}]},
                       "spec": spec, "status": {"replicas": 77, "readyReplicas": 77}})


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *args):
        self.accepted = []
        super().__init__(*args)

    def process_request(self, request, client_address):
        self.accepted.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        pass


class Api:
    """.body, .status, .token, .delay, .trickle, .mode are what it answers with; .requests is what it was asked."""

    def __init__(self, port, certificate, key):
        self.body, self.status, self.token, self.delay, self.mode = deployment(1), 200, "first", 0, None
        self.requests = []
        self.connections = set()
        self.port, self.certificate, self.key = port, certificate, key
        self.server = None
        self.start()

    def start(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                api.requests.append((self.path, dict(self.headers)))
                api.connections.add(self.client_address)
                if api.delay:
                    time.sleep(api.delay)
                status, body = api.status, api.body
                if self.headers.get("Authorization") != "Bearer " + api.token:
                    status, body = 401, json.dumps({"kind": "Status", "status": "Failure", "code": 401})
                body = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if api.mode == "chunked":
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    for i in range(0, len(body), 1000):
                        piece = body[i:i + 1000]
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.write(b"0\r\n\r\n")
                    return
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if api.mode == "cut":
                    self.wfile.write(body[:len(body) // 2])
                    self.close_connection = True
                    return
                if api.mode == "trickle":
                    for i in range(len(body)):
                        self.wfile.write(body[i:i + 1])
                        self.wfile.flush()
                        time.sleep(0.05)
                    return
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        # the handshake is done by the connection's own thread, so that nobody waits for another
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            for s in self.server.accepted:      # also those that are kept alive
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
            self.server = None
