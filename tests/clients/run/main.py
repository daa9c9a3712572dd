"""Clients without a setting, below `bankfeed run`.

They are curl, Stripe's Python SDK with each of its HTTP clients, its Node SDK, and a client that asks
for later pages at Stripe's address, whatever its own base URL is. Prints a line a step, and at the end
`N passed, M failed`. The first argument is the path of Node's packages.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
BINARY = ROOT / os.environ.get("BANKFEED_BINARY", "target/debug/bankfeed")
KEY = "sk_test_run"
CUSTOMERS = 3


def run(*words, **variables):
    """The output of a program below `bankfeed run`, with a server of its own."""
    command = [
        BINARY,
        "run",
        "--quiet",
        "--api-key",
        KEY,
        *variables.pop("flags", []),
        "--",
        *words,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, **variables}
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def curl_uses_the_default_address():
    customer = run(
        "curl", "-sS", "-u", f"{KEY}:", "-d", "email=a@example.com", f"{API}/v1/customers"
    )
    assert json.loads(customer)["email"] == "a@example.com", customer


def python_uses_the_default_address():
    shown = run(sys.executable, HERE / "sdk.py").splitlines()
    assert shown == [
        "RequestsClient 1",
        "UrllibClient 2",
        "HTTPXClient 3",
        "AIOHTTPClient 4",
    ], shown


def node_uses_the_default_address():
    shown = run("node", HERE / "sdk.cjs", sys.argv[1]).splitlines()
    assert shown == ["3 customers", "fetch 200"], shown


def a_client_may_ignore_its_base_url_on_later_pages():
    """Stripe's SDK for PHP does so unless its global base URL is set too."""
    shown = run(sys.executable, HERE / "pages.py", str(CUSTOMERS))
    assert shown.split() == [str(CUSTOMERS)], shown


def other_hosts_are_refused_unless_allowed():
    ask = (
        "import urllib.request as u\n"
        "try: u.urlopen('https://localhost.example:1')\n"
        "except Exception as e: print(e)"
    )
    refused = run(sys.executable, "-c", ask)
    assert "calls of localhost.example are refused" in refused, refused
    allowed = run(sys.executable, "-c", ask, flags=["--allow", "localhost.example"])
    assert "could not connect to localhost.example" in allowed, allowed


def a_module_of_the_machine_with_the_preloads_name_runs_too():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text("print('theirs')\n")
        shown = run(sys.executable, "-c", "import ssl; print('program')", PYTHONPATH=folder)
    assert shown.splitlines() == ["theirs", "program"], shown


API = "https://api.stripe.com"
STEPS = [
    curl_uses_the_default_address,
    python_uses_the_default_address,
    node_uses_the_default_address,
    a_client_may_ignore_its_base_url_on_later_pages,
    other_hosts_are_refused_unless_allowed,
    a_module_of_the_machine_with_the_preloads_name_runs_too,
]

failed = 0
for step in STEPS:
    name = step.__name__.replace("_", " ")
    try:
        step()
        print(f"run: {name}", flush=True)
    except AssertionError as error:
        failed += 1
        print(f"FAILED run: {name}: {error}", flush=True)
print(f"{len(STEPS) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
