"""Runs the steps of a program in order."""

import sys
import traceback


def run(merchant, steps, what):
    """Prints a line a step and the counts, and exits with 1 after a failure.

    The first failure ends the run, since later steps need the earlier ones.
    """
    passed, failed = 0, 0
    try:
        for step in steps:
            name = step.__name__.replace("_", " ")
            step(merchant)
            passed += 1
            print(f"{what}: {name}", flush=True)
    except Exception:
        failed = 1
        traceback.print_exc(file=sys.stdout)
        print(f"FAILED python: {name}\n{merchant.server.logged()[-3_000:]}")
    finally:
        merchant.deliveries.close()
        merchant.server.kill()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed)
