"""hookrecon compares the events of payments with an empty database, and then with a complete one."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pgserver  # noqa: E402
import psycopg  # noqa: E402
from judging import KEY, Judge, every, trigger  # noqa: E402

# The event of each check, its table and column in the file that `init` writes, and its amount.
CHECKS = {
    "checkout.session.completed": ("orders", "stripe_session_id", "amount_total"),
    "invoice.payment_succeeded": ("subscriptions", "stripe_invoice_id", "amount_paid"),
    "payment_intent.succeeded": ("payments", "stripe_payment_intent_id", "amount_received"),
}


def main():
    judge = Judge("hookrecon 0.9.4")
    trigger(*["checkout.session.completed"] * 2)
    trigger(*["invoice.payment_succeeded"] * 3)
    trigger(*["payment_intent.succeeded"] * 4)
    events = {name: every("/v1/events", type=name) for name in CHECKS}
    with tempfile.TemporaryDirectory() as folder:
        # The server of the database has a user of its own, who must enter the folder.
        os.chmod(folder, 0o755)
        database = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            compare(judge, Path(folder), database.get_uri(), events)
        finally:
            database.cleanup()
    judge.end()


def compare(judge, folder, uri, events):
    environment = {**os.environ, "STRIPE_SECRET_KEY": KEY, "DATABASE_URL": uri}

    def hookrecon(*words):
        program = Path(sys.executable).with_name("hookrecon")
        return subprocess.run(
            [program, *words],
            cwd=folder,
            env=environment,
            input="\n\n\n",
            text=True,
            capture_output=True,
        )

    with psycopg.connect(uri, autocommit=True) as connection:
        for table, column, _ in CHECKS.values():
            connection.execute(f"CREATE TABLE {table} ({column} text)")
        judge.equal("init writes its file", hookrecon("init").returncode, 0)
        doctor = hookrecon("doctor")
        judge.equal("doctor finds no problem", doctor.returncode, 0)
        judge.true("doctor reaches the events", "events API reachable (test mode)" in doctor.stdout)

        report = json.loads(hookrecon("check", "--json").stdout)
        judge.equal(
            "every event is read", report["run"]["eventsScanned"], sum(map(len, events.values()))
        )
        for check in report["checks"]:
            seen, amount = events[check["event"]], CHECKS[check["event"]][2]
            objects = [event["data"]["object"] for event in seen]
            name = check["event"]
            judge.true(f"{name} has events", len(seen) >= 2)
            judge.equal(f"{name}: each is missing", check["driftCount"], len(seen))
            total = {"usd": sum(each[amount] for each in objects)}
            judge.equal(f"{name}: the amount is right", check["amountAffected"], total)

        for name, (table, column, _) in CHECKS.items():
            for event in events[name]:
                row = [event["data"]["object"]["id"]]
                connection.execute(f"INSERT INTO {table} ({column}) VALUES (%s)", row)
        full = hookrecon("check", "--json")
        drifts = [check["driftCount"] for check in json.loads(full.stdout)["checks"]]
        judge.equal(
            "a complete database has no difference", (full.returncode, drifts), (0, [0, 0, 0])
        )


main()
