"""A provider with TLS on 443 and a resolver on 53, both on 127.0.0.1: world.py CERTIFICATE KEY. Only root.sh calls this."""

import http.server
import socket
import ssl
import sys
import threading

NAME = b"\x08provider\x07balance\x04test\x00"


def answer(query: bytes) -> bytes:
    """127.0.0.1 for the one name, no such name for others; no other kind of record exists."""
    end = query.index(b"\x00", 12) + 5
    question = query[12:end]
    known = question[:-4].lower() == NAME
    wanted = known and question[-4:-2] == b"\x00\x01"
    head = query[:2] + (b"\x81\x80" if known else b"\x81\x83") + b"\x00\x01" + bytes([0, wanted]) + b"\x00" * 4
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01"
    return head + question + (record if wanted else b"")


def resolve(server: socket.socket) -> None:
    while True:
        query, peer = server.recvfrom(4096)
        server.sendto(answer(query), peer)


class Provider(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == "Bearer secret"
        body = b'{"balance": 5}' if allowed else b"{}"
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
resolver.bind(("127.0.0.1", 53))
threading.Thread(target=resolve, args=(resolver,), daemon=True).start()
provider = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Provider)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
provider.socket = context.wrap_socket(provider.socket, server_side=True, do_handshake_on_connect=False)
print("ready", flush=True)
provider.serve_forever()
