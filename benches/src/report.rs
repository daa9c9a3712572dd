//! The rows of the report, printed after each workload and as a Markdown table at the end.

use crate::Failure;
use crate::measure::{Form, Spent, Stopwatch};
use std::fmt::Write as _;
use std::io::Write as _;

/// One measurement.
pub(crate) struct Row {
    /// The operation.
    pub(crate) what: String,
    /// The figure of bankfeed.
    pub(crate) ours: String,
    /// The figure of the ceiling in the same run.
    pub(crate) ceiling: String,
    /// The ratio to the ceiling, which is 1 if both are equal.
    pub(crate) ratio: Option<f64>,
    /// The ratio or figure that this version must reach.
    pub(crate) target: &'static str,
}

impl Row {
    /// A row of `count` operations and the time that they took. The ratio is that of the rates. The
    /// row also shows the processor time of one operation, which varies less on a shared machine.
    pub(crate) fn of_rates(
        what: impl Into<String>,
        unit: &str,
        count: u32,
        [ours, ceiling]: [Spent; 2],
        target: &'static str,
    ) -> Self {
        let count = f64::from(count);
        let shown = |spent: Spent| {
            let rate = thousands(count / spent.time.as_secs_f64());
            format!("{rate} {unit}/s, {:.0} µs CPU", spent.cpu.as_secs_f64() * 1e6 / count)
        };
        Self {
            what: what.into(),
            ours: shown(ours),
            ceiling: shown(ceiling),
            ratio: Some(ceiling.time.as_secs_f64() / ours.time.as_secs_f64()),
            target,
        }
    }

    /// A row of processor time per request, in microseconds.
    pub(crate) fn of_costs(
        what: impl Into<String>,
        ours_us: f64,
        ceiling_us: f64,
        target: &'static str,
    ) -> Self {
        Self {
            what: what.into(),
            ours: format!("{ours_us:.1} µs CPU"),
            ceiling: format!("{ceiling_us:.1} µs CPU"),
            ratio: Some(ceiling_us / ours_us),
            target,
        }
    }

    /// A row of rates compared with another program. The ratio is ours divided by theirs.
    pub(crate) fn beside(
        what: impl Into<String>,
        unit: &str,
        ours: (u32, Spent),
        theirs: (u32, Spent),
        target: &'static str,
    ) -> Self {
        let rate = |(count, spent): (u32, Spent)| f64::from(count) / spent.time.as_secs_f64();
        let shown = |done: (u32, Spent)| {
            let cpu_us = done.1.cpu.as_secs_f64() * 1e6 / f64::from(done.0);
            format!("{} {unit}/s, {cpu_us:.0} µs CPU", thousands(rate(done)))
        };
        Self {
            what: what.into(),
            ours: shown(ours),
            ceiling: shown(theirs),
            ratio: Some(rate(ours) / rate(theirs)),
            target,
        }
    }

    /// A row without a ceiling.
    pub(crate) fn plain(what: impl Into<String>, ours: String, target: &'static str) -> Self {
        Self { what: what.into(), ours, ceiling: "–".to_owned(), ratio: None, target }
    }

    fn ratio_text(&self) -> String {
        self.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
    }
}

/// All rows of a run.
pub(crate) struct Report {
    form: Form,
    rows: Vec<Row>,
    whole: Stopwatch,
    workload: Stopwatch,
}

impl Report {
    /// An empty report.
    pub(crate) fn start(form: Form) -> Self {
        Self { form, rows: Vec::new(), whole: Stopwatch::start(), workload: Stopwatch::start() }
    }

    /// Adds the rows of a workload. The long form prints them.
    pub(crate) fn add(&mut self, workload: &str, rows: Vec<Row>) -> Result<(), Failure> {
        for row in rows.iter().filter(|_| self.form == Form::Long) {
            say(&format!(
                "{:<62} {:>32} of {:>32}  ratio {:>5}  (target: {})",
                row.what,
                row.ours,
                row.ceiling,
                row.ratio_text(),
                row.target
            ))?;
        }
        say(&format!("  {workload} took {:.0} s", self.workload.elapsed().as_secs_f64()))?;
        self.workload = Stopwatch::start();
        self.rows.extend(rows);
        Ok(())
    }

    /// Prints the table and the machine. The short form prints no figures, because it is too short
    /// to measure.
    pub(crate) fn end(&self) -> Result<(), Failure> {
        let seconds = self.whole.elapsed().as_secs_f64();
        if self.form == Form::Short {
            let rows = self.rows.len();
            return say(&format!("bench: {rows} measurements work, {seconds:.0} s"));
        }
        let mut table = String::from("\n| what | ours | ceiling | ratio | target |\n");
        table.push_str("|---|---|---|---|---|\n");
        for row in &self.rows {
            let Row { what, ours, ceiling, target, .. } = row;
            let ratio = row.ratio_text();
            writeln!(table, "| {what} | {ours} | {ceiling} | {ratio} | {target} |")?;
        }
        say(&table)?;
        say(&format!("{} · the whole run took {seconds:.0} s", machine()))
    }
}

/// The machine that was measured.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let name = field("/proc/cpuinfo", "model name");
    let memory = field("/proc/meminfo", "MemTotal");
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores, {name}, {memory}, Linux {}", kernel.trim())
}

/// The first value with this name in a file of `name: value` lines.
fn field(path: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim());
    value.unwrap_or("unknown").to_owned()
}

/// Prints a line.
pub(crate) fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// A number without decimals, with separators between thousands.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Row, Spent, thousands};
    use std::time::Duration;

    /// Thousands are separated from the right.
    #[test]
    fn separates_thousands() {
        assert_eq!(thousands(7.4), "7");
        assert_eq!(thousands(999.6), "1,000");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
    }

    /// A higher rate and a lower cost both raise the ratio.
    #[test]
    fn ratios_rise_with_speed() {
        let spent = |seconds| Spent { time: Duration::from_secs(seconds), cpu: Duration::ZERO };
        assert_eq!(Row::of_rates("", "", 9, [spent(4), spent(2)], "").ratio, Some(0.5));
        assert_eq!(Row::of_costs("", 40.0, 10.0, "").ratio, Some(0.25));
    }
}
