//! Time of a trace: instants, units, and how a date becomes an offset from the origin.
//!
//! The timestamps of obsels are integers, counted from the origin of the trace in the unit of its model. Where the
//! origin is a date, dates can be converted to timestamps and back (kTBS documentation, "time and duration").

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

use crate::vocab::ktbs;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A moment between the years 1 and 9999 (UTC), in microseconds since 1970.
///
/// The bounds are those of dates with four digits of year, so that every instant can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    const MIN: i64 = -62_135_596_800 * MICROS_PER_SECOND;
    const MAX: i64 = 253_402_300_800 * MICROS_PER_SECOND - 1;

    /// Returns the instant that is so many microseconds after 1970-01-01T00:00:00Z, or `None` out of the years 1 to
    /// 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&micros).then_some(Self(micros))
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the instant as an `xsd:dateTime` in UTC: `2026-11-23T03:13:11.127595Z`, without a fraction for a
    /// whole second.
    pub fn to_xsd(self) -> String {
        self.to_string()
    }

    /// Returns the date and the time of day in UTC.
    fn civil(self) -> DateTime {
        date(1970, 1, 1)
            .at(0, 0, 0, 0)
            .checked_add(SignedDuration::from_micros(self.0))
            .expect("the years 1 to 9999 are all within those of jiff")
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        )?;
        match civil.subsec_nanosecond() / 1000 {
            0 => f.write_str("Z"),
            micros => write!(f, ".{micros:06}Z"),
        }
    }
}

/// Returns the present moment.
pub fn now() -> Instant {
    let micros = jiff::Timestamp::now().as_microsecond();
    Instant(micros.clamp(Instant::MIN, Instant::MAX))
}

/// Returns the whole seconds since 1970, for what is kept or compared to the second.
pub fn seconds() -> u64 {
    u64::try_from(now().as_micros() / 1_000_000).unwrap_or(0)
}

/// Parses a date, as it may stand in the origin of a trace or in a `…DT` property.
///
/// A string is a date only if the whole of it has one of these forms, and names a day and a time that exist:
///
/// | part | forms |
/// |---|---|
/// | day | `YYYY`, `YYYY-MM`, `YYYY-MM-DD` (first month, first day if missing) |
/// | time, after a whole day and `T` or a space | `hh:mm`, `hh:mm:ss`, `hh:mm:ss.f…`, `hh:mm:ss,f…` (midnight if missing) |
/// | zone, after a time | `Z`, `±hh:mm`, `±hhmm`, `±hh`, at most 14 hours (UTC if missing) |
///
/// They are those of ISO 8601 and of `xsd:dateTime` (XML Schema 1.1 part 2, section 3.3.7) that collectors write.
/// The year is one of 1 to 9999; there is no hour 24 and no second 60. What is finer than a microsecond is dropped.
/// The zone `+00:00Z` is accepted too: the Python kTBS writes it in the origins that it makes from `now`.
///
/// ```
/// use ktbs::time::parse_instant;
///
/// assert_eq!(parse_instant("2020-01-01T01:00:00+01:00"), parse_instant("2020"));
/// assert_eq!(parse_instant("2020-02-30"), None);
/// assert_eq!(parse_instant("2020xyz"), None);
/// ```
pub fn parse_instant(text: &str) -> Option<Instant> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    let (mut month, mut day) = (1, 1);
    let (mut hour, mut minute, mut second, mut micros, mut zone_minutes) = (0, 0, 0, 0, 0);
    if rest.skip(b"-") {
        month = rest.digits(2)?;
        if rest.skip(b"-") {
            day = rest.digits(2)?;
            if rest.skip(b"T") || rest.skip(b" ") {
                hour = rest.digits(2)?;
                minute = rest.skip(b":").then(|| rest.digits(2))??;
                if rest.skip(b":") {
                    second = rest.digits(2)?;
                    if rest.skip(b".") || rest.skip(b",") {
                        micros = rest.fraction()?;
                    }
                }
                zone_minutes = rest.zone()?;
            }
        }
    }
    if !rest.0.is_empty() || year == 0 {
        return None;
    }
    let civil = DateTime::new(
        year,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        0,
    )
    .ok()?;
    let seconds = civil.duration_since(date(1970, 1, 1).at(0, 0, 0, 0)).as_secs() - zone_minutes * 60;
    Instant::from_micros(seconds * MICROS_PER_SECOND + micros)
}

/// What is left to parse of a date.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn skip(&mut self, prefix: &[u8]) -> bool {
        match self.0.strip_prefix(prefix) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a number of exactly `count` digits, at most 4.
    fn digits(&mut self, count: usize) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits
            .iter()
            .try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0')))
    }

    /// Takes at least one digit after the decimal sign, and returns the microseconds.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let six = digits.iter().map(|b| i64::from(b - b'0')).chain(std::iter::repeat(0));
        (count > 0).then(|| six.take(6).fold(0, |n, digit| n * 10 + digit))
    }

    /// Takes a zone, if any, and returns its minutes ahead of UTC.
    fn zone(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.skip(b"Z") || self.skip(b"+00:00Z") {
            return Some(0);
        }
        let sign = if self.skip(b"+") {
            1
        } else if self.skip(b"-") {
            -1
        } else {
            return None;
        };
        let hours = i64::from(self.digits(2)?);
        let minutes = if self.skip(b":") || !self.0.is_empty() {
            i64::from(self.digits(2)?)
        } else {
            0
        };
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= 14 * 60).then_some(sign * total)
    }
}

/// The unit in which a trace counts time from its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `ktbs:millisecond`
    Millisecond,
    /// `ktbs:second`
    Second,
    /// `ktbs:sequence`: an order without durations.
    Sequence,
    /// A unit that only its users know.
    Other,
}

impl Unit {
    /// Returns the unit that an IRI names; milliseconds, the default of the kTBS, without an IRI.
    pub fn from_iri(iri: Option<&str>) -> Self {
        match iri {
            None | Some(ktbs::MILLISECOND) => Self::Millisecond,
            Some(ktbs::SECOND) => Self::Second,
            Some(ktbs::SEQUENCE) => Self::Sequence,
            Some(_) => Self::Other,
        }
    }

    /// Returns the length of the unit, or `None` where dates cannot be converted to it.
    fn micros(self) -> Option<i64> {
        match self {
            Self::Millisecond => Some(1000),
            Self::Second => Some(MICROS_PER_SECOND),
            Self::Sequence | Self::Other => None,
        }
    }

    /// Tells whether dates can be converted to this unit.
    pub fn is_convertible(self) -> bool {
        self.micros().is_some()
    }

    /// Returns the timestamp of a date in a trace of that origin: the nearest integer, the even one of two that are
    /// as near. It is negative before the origin; `None` where the unit is not convertible.
    pub fn offset(self, origin: Instant, date: Instant) -> Option<i64> {
        // Two instants are less than 2^59 microseconds apart, so that nothing here overflows.
        Some(divide_to_even(date.0 - origin.0, self.micros()?))
    }

    /// Returns the date of a timestamp in a trace of that origin; `None` where the unit is not convertible, or the
    /// date out of the years 1 to 9999.
    pub fn date(self, origin: Instant, offset: i64) -> Option<Instant> {
        let elapsed = offset.checked_mul(self.micros()?)?;
        Instant::from_micros(origin.0.checked_add(elapsed)?)
    }
}

/// Divides by a positive number and rounds to the nearest integer, to the even one of two that are as near.
fn divide_to_even(dividend: i64, divisor: i64) -> i64 {
    let (floor, remainder) = (dividend.div_euclid(divisor), dividend.rem_euclid(divisor));
    match (2 * remainder).cmp(&divisor) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + floor.rem_euclid(2),
    }
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Instant {
        parse_instant(text).unwrap_or_else(|| panic!("{text} is a date"))
    }

    #[test]
    fn dates_in_each_form() {
        let cases = [
            ("2020", "2020-01-01T00:00:00Z"),
            ("1234", "1234-01-01T00:00:00Z"),
            ("0001", "0001-01-01T00:00:00Z"),
            ("2020-02", "2020-02-01T00:00:00Z"),
            ("2020-02-29", "2020-02-29T00:00:00Z"),
            ("2000-02-29", "2000-02-29T00:00:00Z"),
            ("2020-01-01T10:20", "2020-01-01T10:20:00Z"),
            ("2020-01-01T10:20Z", "2020-01-01T10:20:00Z"),
            ("2020-01-01 00:00:05", "2020-01-01T00:00:05Z"),
            ("2020-01-01T00:00:05.5", "2020-01-01T00:00:05.500000Z"),
            ("2020-01-01T00:00:05,25Z", "2020-01-01T00:00:05.250000Z"),
            ("2020-01-01T00:00:05.1234569999999999999", "2020-01-01T00:00:05.123456Z"),
            ("2020-01-01T00:00:05.000Z", "2020-01-01T00:00:05Z"),
            ("1969-12-31T23:59:59.75Z", "1969-12-31T23:59:59.750000Z"),
            ("2020-01-01T01:00:00+01:00", "2020-01-01T00:00:00Z"),
            ("2020-01-01T01:00:00+0100", "2020-01-01T00:00:00Z"),
            ("2020-01-01T01:00:00+01", "2020-01-01T00:00:00Z"),
            ("2020-01-01T01:00-05:30", "2020-01-01T06:30:00Z"),
            ("2020-01-01T01:00:00-00:00", "2020-01-01T01:00:00Z"),
            ("2020-01-01T14:00:00+14:00", "2020-01-01T00:00:00Z"),
            ("2026-11-23T03:13:11.127595+00:00Z", "2026-11-23T03:13:11.127595Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(at(text).to_xsd(), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_is_opaque() {
        let cases = [
            "",
            "now",
            "o5eax9k96omksfs94medo1eveutgm2iye",
            "42",
            "202",
            "20200",
            "2020xyz",
            "20200102",
            "1234abc",
            " 2020",
            "2020 ",
            "2020\n",
            "-2020-01-01",
            "+2020",
            "12020-01-01",
            "2020-",
            "2020-1-1",
            "2020-01-",
            "2020-01-01T",
            "2020-01-01T00",
            "2020-01-01T0000",
            "2020-01-01x00:00",
            "2020-01-01t00:00",
            "2020-01-01T00:00z",
            "2020-01-01Z",
            "2020-01-01T00:00:",
            "2020-01-01T00:00:00.",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00.5",
            "2020-01-01T00:00:00+",
            "2020-01-01T00:00:00+1",
            "2020-01-01T00:00:00+01:",
            "2020-01-01T00:00:00+01:0",
            "2020-01-01T00:00:00+01:60",
            "2020-01-01T00:00:00+14:01",
            "2020-01-01T00:00:00+99",
            "2020-01-01T01:00:00+01:00Z",
            "2020-01-01T00:00:00ZZ",
            "2020-13-01",
            "2020-00-01",
            "2020-01-00",
            "2020-02-30",
            "2021-02-29",
            "1900-02-29",
            "0000",
            "0000-01-01",
            "2020-01-01T24:00:00",
            "2020-01-01T23:60:00",
            "2020-01-01T23:59:60",
            "٢٠٢٠",
            "２０２０",
            // They are dates, but not in the years 1 to 9999 of UTC.
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:00-00:01",
        ];
        for text in cases {
            assert_eq!(parse_instant(text), None, "{text:?}");
        }
    }

    #[test]
    fn offsets_are_rounded_to_even() {
        let origin = at("2020-01-01T00:00:00Z");
        let cases = [
            (Unit::Millisecond, "2020-01-01T00:00:05.0005Z", 5000),
            (Unit::Millisecond, "2020-01-01T00:00:05.0015Z", 5002),
            (Unit::Millisecond, "2020-01-01T00:00:05.000501Z", 5001),
            (Unit::Millisecond, "2020-01-01T00:00:01.5Z", 1500),
            (Unit::Millisecond, "2020-01-01T01:00:02+01:00", 2000),
            (Unit::Millisecond, "2019-12-31T23:59:59.9995Z", 0),
            (Unit::Millisecond, "2019-12-31T23:59:59.9985Z", -2),
            (Unit::Millisecond, "2019-12-31T23:59:59.998Z", -2),
            (Unit::Second, "2020-01-01T00:00:01.5Z", 2),
            (Unit::Second, "2020-01-01T00:00:02.5Z", 2),
            (Unit::Second, "2019-12-31T23:59:58.5Z", -2),
            (Unit::Second, "2019-12-31T23:59:57.5Z", -2),
            (Unit::Second, "2020-01-02", 86_400),
        ];
        for (unit, date, expected) in cases {
            assert_eq!(unit.offset(origin, at(date)), Some(expected), "{unit:?} {date}");
        }
    }

    #[test]
    fn units_without_durations_are_not_converted() {
        let origin = at("2020");
        for unit in [Unit::Sequence, Unit::Other] {
            assert!(!unit.is_convertible());
            assert_eq!(unit.offset(origin, origin), None);
            assert_eq!(unit.date(origin, 0), None);
        }
    }

    #[test]
    fn units_by_their_iris() {
        let cases = [
            (None, Unit::Millisecond),
            (
                Some("http://liris.cnrs.fr/silex/2009/ktbs#millisecond"),
                Unit::Millisecond,
            ),
            (Some("http://liris.cnrs.fr/silex/2009/ktbs#second"), Unit::Second),
            (Some("http://liris.cnrs.fr/silex/2009/ktbs#sequence"), Unit::Sequence),
            (Some("http://example.org/fortnight"), Unit::Other),
        ];
        for (iri, expected) in cases {
            assert_eq!(Unit::from_iri(iri), expected, "{iri:?}");
        }
    }

    #[test]
    fn dates_of_timestamps_stay_within_bounds() {
        let origin = at("2020");
        assert_eq!(
            Unit::Second.date(origin, -1).map(Instant::to_xsd).as_deref(),
            Some("2019-12-31T23:59:59Z")
        );
        for offset in [
            i64::MIN,
            i64::MAX,
            i64::MAX / 1000,
            -70_000_000_000_000,
            300_000_000_000_000,
        ] {
            assert_eq!(Unit::Millisecond.date(origin, offset), None, "{offset}");
            assert_eq!(Unit::Second.date(origin, offset), None, "{offset}");
        }
    }

    #[test]
    fn now_is_written_as_a_date() {
        let now = now();
        assert!(now > at("2026"));
        assert_eq!(at(&now.to_xsd()), now);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse_instant(&text);
        }

        #[test]
        fn no_text_like_a_date_panics(text in "[0-9]{4}(-[0-9]{0,3}){0,3}[T ]?([0-9]{0,3}:){0,3}[0-9.,]{0,9}[-+Z0-9:]{0,7}") {
            let _ = parse_instant(&text);
        }

        #[test]
        fn what_is_written_reads_back(micros in Instant::MIN..=Instant::MAX) {
            let instant = Instant::from_micros(micros).expect("within the bounds");
            prop_assert_eq!(parse_instant(&instant.to_xsd()), Some(instant));
        }

        #[test]
        fn a_date_keeps_its_timestamp(origin in Instant::MIN..=Instant::MAX, offset in -60_000_000_000_000..=250_000_000_000_000_i64) {
            let origin = Instant::from_micros(origin).expect("within the bounds");
            for unit in [Unit::Millisecond, Unit::Second] {
                if let Some(date) = unit.date(origin, offset) {
                    prop_assert_eq!(unit.offset(origin, date), Some(offset));
                }
            }
        }

        #[test]
        fn any_two_dates_have_an_offset(origin in Instant::MIN..=Instant::MAX, date in Instant::MIN..=Instant::MAX) {
            let (origin, date) = (Instant(origin), Instant(date));
            let ms = Unit::Millisecond.offset(origin, date).expect("milliseconds are convertible");
            prop_assert!((i128::from(ms) * 1000 - i128::from(date.0) + i128::from(origin.0)).abs() <= 500);
        }
    }
}
