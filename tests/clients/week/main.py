"""Runs flows of week.py and week.mjs in parallel against one server: `main.py FLOWS`.

Half of the flows are in Python and half in Node, in several processes.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from server import Server  # noqa: E402

# The most flows of one process.
FLOWS_MAX = 125
TIME_S_MAX = 3600


def main():
    flows = int(sys.argv[1])
    # The defaults of the server, and not those of the other programs here.
    server = Server(cool_down_test=0, retry_test="5s,10m,2h", lease_ms=30000, poll_ms=500)
    server.start()
    children = []
    try:
        left = {"python3": flows // 2, "node": flows - flows // 2}
        scripts = {"python3": "week.py", "node": "week.mjs"}
        while any(left.values()):
            for program, script in scripts.items():
                count = min(left[program], FLOWS_MAX)
                if count:
                    left[program] -= count
                    name = f"{program}{len(children)}"
                    command = [program, HERE / script, server.url, str(count), name]
                    children.append(subprocess.Popen(command))
        codes = [child.wait(timeout=TIME_S_MAX) for child in children]
    finally:
        for child in children:
            child.kill()
        server.stop()
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
