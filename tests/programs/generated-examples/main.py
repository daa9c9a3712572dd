"""The examples that stripe-python generates from Stripe's description, called for real.

Each test of its `test_generated_examples.py` has one call with placeholders such as
`cus_xxxxxxxxxxxxx`. The call is sent with fresh objects in their place. `failures.txt` has the reason
of each call that the server serves and does not accept. Calls of paths that the server does not serve
are skipped.
"""

import ast
import io
import re
import sys
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import stripe  # noqa: E402
from judging import KEY, CallError, Judge  # noqa: E402
from objects import Objects  # noqa: E402

SERVED_MIN = 170
PASSED_MIN = 140
# The variants of a test: other styles of the same call.
VARIANT = re.compile(r"_(service|async|non_namespaced)$")
# The errors of a path or a method that the server does not serve.
UNSERVED = re.compile(r"Unrecognized request URL|does not accept [A-Z]+ requests")
PLACEHOLDER = re.compile(r"(?P<kind>[a-z]+(?:_test|_sched)?)_(?:x{4,}|xyz|123)")


def examples(source):
    """The call of each test, as an expression."""
    (tests,) = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    for test in tests.body:
        if isinstance(test, ast.FunctionDef) and not VARIANT.search(test.name):
            calls = [line.value for line in test.body if isinstance(line, ast.Expr)]
            calls = [call for call in calls if ast.unparse(call).startswith("stripe.")]
            if len(calls) == 1:
                yield test.name.removeprefix("test_"), calls[0]


class Filled(ast.NodeTransformer):
    """Puts fresh objects in the place of placeholders."""

    def __init__(self, objects, call):
        self.objects = objects
        self.call = call

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            node.value = self.objects.fill(self.call, node.value, PLACEHOLDER)
        return node


def outcome(name, call, objects):
    """Empty for a success, or the error of the call. `None` if the server does not serve its path."""
    text = ast.unparse(call)
    try:
        filled = ast.unparse(Filled(objects, text).visit(call))
        eval(filled, {"stripe": stripe, "io": io, "Decimal": Decimal})
    except stripe.StripeError as error:
        message = str(error.user_message or error)
        return None if UNSERVED.search(message) else message.splitlines()[0]
    except CallError as error:
        # The object in the place of a placeholder could not be made.
        return None if UNSERVED.search(str(error)) else f"no object to begin with: {error}"
    return ""


def main():
    judge = Judge("generated examples of stripe-python 16.1.0")
    stripe.api_key = KEY
    source = Path(sys.argv[1]).read_text()
    lines = (HERE / "failures.txt").read_text().splitlines()
    expected = dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    served, passed, failed = 0, 0, {}
    objects = Objects()
    for name, call in examples(source):
        ended = outcome(name, call, objects)
        if ended is None:
            continue
        served += 1
        if ended:
            failed[name] = ended
        else:
            passed += 1
    for name in sorted(set(failed) - set(expected)):
        judge.true(name, False, failed[name])
    fixed = sorted(set(expected) - set(failed))
    judge.equal("each listed failure fails", fixed, [])
    judge.equal("each failure has its reason", sorted(set(failed) - set(expected)), [])
    judge.true(f"{served} examples are served", served >= SERVED_MIN, served)
    judge.true(f"{passed} examples pass", passed >= PASSED_MIN, passed)
    judge.end()


main()
