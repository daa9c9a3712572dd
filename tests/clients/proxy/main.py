"""A server behind nginx, with the settings that docs/run-it.md prints.

nginx and the server run on free ports of this machine. Programs call nginx with the public name of
the server in `Host`. Prints a line a step, and at the end `N passed, M failed`.
"""

import base64
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from server import BINARY, ROOT, Server, free_port  # noqa: E402

KEY = "sk_test_proxy"
# An address of loopback besides that of nginx and the server.
CLIENT = "127.0.0.2"
NAME = "bank.example"
WAIT_S_MAX = 60


def snippet():
    """The settings of nginx as the document prints them."""
    text = (ROOT / "docs/run-it.md").read_text()
    (found,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    return found


class Nginx:
    """nginx with one server, as a child process in a folder of its own."""

    def __init__(self, port, upstream):
        self.folder = tempfile.TemporaryDirectory(prefix="bankfeed-proxy-")
        folder = Path(self.folder.name)
        site = snippet().replace("listen 80;", f"listen 127.0.0.1:{port};")
        site = site.replace("127.0.0.1:12111", f"127.0.0.1:{upstream}")
        assert f":{upstream}" in site and f":{port}" in site, site
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\n"
            f"events {{}}\nhttp {{ access_log off;\n{temporary}{site}}}\n"
        )
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [nginx, "-p", folder, "-c", folder / "nginx.conf"], stderr=(folder / "log").open("wb")
        )
        self.port = port
        until = time.monotonic() + WAIT_S_MAX
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                log = (folder / "log").read_text()
                assert self.process.poll() is None and time.monotonic() < until, log

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.folder.cleanup()


def ask(method, path, host=None, body=None, **headers):
    """The status and the body of a request through nginx."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", NGINX.port, timeout=WAIT_S_MAX, source_address=(CLIENT, 0)
    )
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers = {"Host": host or f"{NAME}:{NGINX.port}", **headers}
    connection.request(method, path, body=body, headers=headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def call(method, path, **form):
    """The object in the response to an API call, which succeeds."""
    body = urlencode(form) if form else None
    headers = {"Authorization": f"Bearer {KEY}", "X-Forwarded-For": "203.0.113.9"}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    status, body = ask(method, path, body=body, **headers)
    assert status == 200, body
    return json.loads(body)


def path_of(url, scheme="http"):
    """The path of a URL of the server, which has the public name."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == (scheme, f"{NAME}:{NGINX.port}"), url
    return parts.path


def api_calls_pass_and_name_their_client():
    assert call("POST", "/v1/customers", name="Ada")["name"] == "Ada"
    # nginx reports the client, and the address that the client itself wrote does not count.
    log = re.sub(r"\x1b\[[0-9;]*m", "", SERVER.logged())
    assert f"client={CLIENT}" in log and "client=203" not in log, log


def api_errors_pass():
    status, body = ask("GET", "/v1/customers", host="evil.example")
    assert status == 403 and "--allowed-hosts evil.example" in body, body
    status, body = ask(
        "POST", "/v1/customers", body="a" * (600 * 1024), Authorization=f"Bearer {KEY}"
    )
    assert status == 400 and "at most 524288 bytes" in body, body


def link_pages_open():
    customer = call("POST", "/v1/customers", name="Ada")["id"]
    session = call(
        "POST",
        "/v1/financial_connections/sessions",
        **{
            "account_holder[type]": "customer",
            "account_holder[customer]": customer,
            "permissions[]": "transactions",
        },
    )
    flow = call("POST", "/v1/link_flows", client_secret=session["client_secret"])
    path = path_of(flow["url"])
    status, page = ask("GET", path)
    assert status == 200 and "<form" in page, page
    status, style = ask("GET", "/assets/pages.css")
    assert status == 200 and "{" in style, style


def read_exactly(stream, count):
    data = stream.read(count)
    assert len(data) == count, "the connection ended"
    return data


def read_message(stream):
    """A text message of a websocket, from a server that does not split messages."""
    first, length = read_exactly(stream, 2)
    if length == 126:
        length = int.from_bytes(read_exactly(stream, 2))
    elif length == 127:
        length = int.from_bytes(read_exactly(stream, 8))
    data = read_exactly(stream, length)
    assert first == 0x81, (first, data)
    return json.loads(data)


def websockets_pass():
    session = call("POST", "/v1/stripecli/sessions", **{"websocket_features[]": "webhooks"})
    path = path_of(session["websocket_url"], "ws")
    with socket.create_connection(("127.0.0.1", NGINX.port), timeout=WAIT_S_MAX) as client:
        key = base64.b64encode(b"0123456789abcdef").decode()
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: stripecli-devproxy-v1\r\n"
            f"Websocket-Id: {session['websocket_id']}\r\n\r\n".encode()
        )
        stream = client.makefile("rb")
        status = stream.readline()
        assert b" 101 " in status, status
        while stream.readline() != b"\r\n":
            pass
        product = call("POST", "/v1/products", name="Tea")["id"]
        message = json.dumps(read_message(stream))
        assert product in message and "product.created" in message, message


def listen_prints_events():
    base = f"http://127.0.0.1:{NGINX.port}"
    listen = subprocess.Popen(
        [BINARY, "listen", "--api-base", base, "--api-key", KEY, "--events", "customer.created"],
        stdout=subprocess.PIPE,
        text=True,
    )
    # A line that never comes ends with the process.
    timer = threading.Timer(WAIT_S_MAX, listen.kill)
    timer.start()
    try:
        assert listen.stdout.readline(), "it did not begin"
        customer = call("POST", "/v1/customers", name="Listened")["id"]
        assert any(customer in line for line in listen.stdout), "no line has the event"
    finally:
        timer.cancel()
        listen.send_signal(signal.SIGTERM)
        listen.wait(timeout=20)


def webhooks_are_registered():
    received = []

    class Inbox(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    with HTTPServer(("127.0.0.1", 0), Inbox) as inbox:
        inbox.timeout = WAIT_S_MAX
        url = f"http://127.0.0.1:{inbox.server_port}/"
        form = {"url": url, "enabled_events[]": "customer.created"}
        endpoint = call("POST", "/v1/webhook_endpoints", **form)
        assert endpoint["secret"].startswith("whsec_"), endpoint
        customer = call("POST", "/v1/customers", name="Ada")["id"]
        inbox.handle_request()
    call("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    assert received and customer in received[0].decode(), received


STEPS = [
    api_calls_pass_and_name_their_client,
    api_errors_pass,
    link_pages_open,
    websockets_pass,
    listen_prints_events,
    webhooks_are_registered,
]

PORT = free_port()
SERVER = Server(public_url=f"http://{NAME}:{PORT}", trusted_proxy="127.0.0.1")
SERVER.start()
NGINX = Nginx(PORT, SERVER.port)
failed = 0
for step in STEPS:
    name = step.__name__.replace("_", " ")
    try:
        step()
        print(f"proxy: {name}", flush=True)
    except AssertionError as error:
        failed += 1
        print(f"FAILED proxy: {name}: {error}", flush=True)
NGINX.stop()
SERVER.stop()
print(f"{len(STEPS) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
