//! The report of the client checker (`bankfeed.consumer_report`).

use crate::diagnostic::{ConsumerReport, Diagnostic, Evidence, RefreshCount, Subject};
use model::Word;
use model::bank::Feature;
use model::calendar::{Date, date_of, day_of_second};
use model::id::{EventId, IdText, RequestId};
use wire::json::JsonWriter;

/// Writes a report. It exists in test mode only.
pub(crate) fn write(writer: &mut JsonWriter, report: &ConsumerReport) {
    writer.object(|w| {
        w.key("object").plain("bankfeed.consumer_report");
        w.key("findings").array(|w| {
            for finding in &report.findings {
                write_finding(w, finding);
            }
        });
        w.key("finished").boolean(report.finished);
        w.key("livemode").boolean(false);
        w.key("refreshes").array(|w| {
            for count in &report.refreshes {
                write_refresh_count(w, count);
            }
        });
        w.key("verdict").plain(report.verdict().word());
        w.key("watched").object(|w| {
            w.key("accounts").count(report.accounts as u64);
            w.key("attempts").count(report.attempts);
            w.key("calls").count(report.calls);
            w.key("since").integer(report.since.seconds());
        });
    });
}

fn write_finding(writer: &mut JsonWriter, finding: &Diagnostic) {
    let (account, endpoint) = match finding.subject {
        Subject::Account(account) => (Some(account.text()), None),
        Subject::Endpoint(endpoint) => (None, Some(endpoint.text())),
        Subject::Destination(destination) => (None, Some(destination.text())),
        Subject::Listener => (None, None),
    };
    writer.object(|w| {
        w.key("object").plain("bankfeed.consumer_finding");
        w.key("account").optional_plain(account.as_ref().map(IdText::as_str));
        w.key("code").plain(finding.code.word());
        w.key("evidence").array(|w| {
            for evidence in &finding.evidence {
                write_evidence(w, evidence);
            }
        });
        w.key("first_at").integer(finding.first_at.seconds());
        w.key("fix").string(finding.code.fix());
        w.key("last_at").integer(finding.last_at.seconds());
        w.key("message").string(finding.code.message());
        w.key("times").integer(i64::from(finding.times));
        w.key("webhook_endpoint").optional_plain(endpoint.as_ref().map(IdText::as_str));
    });
}

fn write_refresh_count(writer: &mut JsonWriter, count: &RefreshCount) {
    let Date { year, month, day } = date_of(day_of_second(count.day.0));
    writer.object(|w| {
        w.key("object").plain("bankfeed.refresh_count");
        w.key("account").plain(count.account.text().as_str());
        // Only programs of previews refresh the others, so their counts are left out at zero.
        let is_shown =
            |(feature, count): &(&Feature, u32)| *count > 0 || Feature::GENERAL.contains(feature);
        for (feature, count) in Feature::ALL.iter().zip(count.counts).filter(is_shown) {
            w.key(feature.word()).count(u64::from(count));
        }
        w.key("date").string(&format!("{year:04}-{month:02}-{day:02}"));
    });
}

fn write_evidence(writer: &mut JsonWriter, evidence: &Evidence) {
    let (event, request) =
        (evidence.event.map(EventId::text), evidence.request.map(RequestId::text));
    writer.object(|w| {
        w.key("at").integer(evidence.at.seconds());
        w.key("event").optional_plain(event.as_ref().map(IdText::as_str));
        w.key("request").optional_plain(request.as_ref().map(IdText::as_str));
        w.key("what").string(&evidence.what);
    });
}
