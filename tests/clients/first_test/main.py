"""The test of docs/first-test.md in its four languages, cut out of the page as it stands there, against a
server that was started as the page says. Only the port is another.

The programs that run them come as arguments, `python=… node=… go=… jars=…`: what installs them knows where they are.
Prints a line a language, and at the end "N passed, M failed".
"""

import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from server import ROOT, Server  # noqa: E402

PAGE = ROOT / "docs/first-test.md"
WORK = ROOT / "target/clients/first_test"
# From here Node finds the packages of the programs beside it.
NODE_WORK = ROOT / "tests/clients/node/built"
BLOCK = re.compile(r"^```(\w+)\n(?://|#) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIME_S_MAX = 300
# What each says when its one test ran; a runner that finds none may end well too.
RAN_ONE = {"Python": "1 passed", "Node": "pass 1\n", "Go": "--- PASS: Test", "Java": "1 tests successful"}


def cut_out(port):
    """Writes the blocks that name a file, with the server's port."""
    files = {}
    for _, name, code in BLOCK.findall(PAGE.read_text()):
        folder = NODE_WORK if name.endswith(".mjs") else WORK / Path(name).stem
        folder.mkdir(parents=True, exist_ok=True)
        files[Path(name).suffix] = folder / name
        (folder / name).write_text(code.replace("127.0.0.1:12111", f"127.0.0.1:{port}")
                                       .replace("port: 12111", f"port: {port}"))
    return files


def commands(files, programs):
    """What runs each file, as the page says, with what is installed here."""
    go = files[".go"].parent
    for name in ["go.mod", "go.sum"]:
        (go / name).write_text((ROOT / "tests/clients/go" / name).read_text())
    java, jars = files[".java"], programs["jars"]
    classes = str(java.parent / "classes")
    compiled = f"javac -cp '{jars}/*' -d {classes} {java}"
    launched = f"java -jar {jars}/junit-platform-console-standalone-*.jar execute --disable-banner --details=summary"
    console = f"{launched} --class-path {classes}:$(echo {jars}/*.jar | tr ' ' :) --select-class BankTest"
    return {
        "Python": [programs["python"], "-m", "pytest", "-q", "-p", "no:cacheprovider", str(files[".py"])],
        "Node": [programs["node"], "--test", str(files[".mjs"])],
        # Not answered from its cache, which does not know the server.
        "Go": ["env", "GOTOOLCHAIN=local", programs["go"], "test", "-C", str(go), "-count=1", "-v", "."],
        "Java": ["bash", "-c", f"{compiled} && {console}"],
    }


def main():
    programs = dict(argument.split("=", 1) for argument in sys.argv[1:])
    # The default of the server, where other programs here have an hour.
    server = Server(cool_down_test="0")
    server.start()
    passed = failed = 0
    try:
        for name, command in commands(cut_out(server.port), programs).items():
            try:
                ran = subprocess.run(command, capture_output=True, text=True, timeout=TIME_S_MAX)
                told = ran.stdout + ran.stderr
                ok = ran.returncode == 0 and RAN_ONE[name] in told
            except subprocess.TimeoutExpired as late:
                ok, told = False, str(late)
            passed, failed = passed + ok, failed + (not ok)
            print(f"{name}: the page's first test {'passes' if ok else 'FAILED'}", flush=True)
            if not ok:
                print(told, flush=True)
    finally:
        server.stop()
    print(f"{passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
