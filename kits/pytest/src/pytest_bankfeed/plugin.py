"""The fixtures: one server for the run, one key for each test."""

import os
from typing import Any, Iterator

import pytest

from .bank import Bankfeed, JudgeError
from .server import Server

SECTION = "bankfeed"
_BANK = pytest.StashKey[Bankfeed]()
_FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("bankfeed_args", "arguments of `bankfeed serve`", type="args", default=[])
    parser.addini("bankfeed_judge", "judge the client after each test", type="bool", default=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "bankfeed(judge=True): settings of the fixture bankfeed")


@pytest.fixture(scope="session")
def bankfeed_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server of the run."""
    server = Server.start(request.config.getini("bankfeed_args"))
    yield server
    server.stop()


@pytest.fixture
def bankfeed(bankfeed_server: Server, request: pytest.FixtureRequest) -> Iterator[Bankfeed]:
    """An empty merchant with a key of its own. After the test its client is judged."""
    bank = Bankfeed(bankfeed_server.url)
    request.node.stash[_BANK] = bank
    yield bank
    try:
        # A test that has failed already shows its own error only.
        if not request.node.stash.get(_FAILED, False):
            bank.settle()
            if _is_judged(request):
                _judge(bank)
    finally:
        bank.close()


def _is_judged(request: pytest.FixtureRequest) -> bool:
    marker = request.node.get_closest_marker("bankfeed")
    chosen = marker.kwargs.get("judge") if marker else None
    return bool(request.config.getini("bankfeed_judge") if chosen is None else chosen)


def _judge(bank: Bankfeed) -> None:
    findings = bank.judge()["findings"]
    if findings:
        raise JudgeError("\n\n".join(_text(finding) for finding in findings))


def _where(bank: Bankfeed) -> str:
    lines = [f"key {bank.key} on {bank.url}"]
    if "BANKFEED_URL" in os.environ:
        lines.append(f"bankfeed judge --api-key {bank.key} --api-base {bank.url}")
    else:
        lines.append("The server ends with the run. Start one yourself and set BANKFEED_URL to keep it.")
    return "\n".join(lines)


def _text(finding: Any) -> str:
    subject = finding["account"] or finding["webhook_endpoint"] or ""
    lines = [f"{finding['code']}  {subject}".rstrip(), f"  {finding['message']}"]
    for evidence in finding["evidence"]:
        proof = [evidence["what"], evidence.get("request"), evidence.get("event")]
        lines.append("  - " + "  ".join(part for part in proof if part))
    lines.append(f"  Fix: {finding['fix']}")
    return "\n".join(lines)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> Any:
    report = yield
    bank = item.stash.get(_BANK, None)
    if report.failed and bank is not None:
        item.stash[_FAILED] = True
        report.sections.append((SECTION, _where(bank)))
    return report
