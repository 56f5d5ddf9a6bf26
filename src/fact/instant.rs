//! Instants that archivers and builders write in place of a time, so that the same input gives the same bytes. A file that has one
//! says nothing about when it was made or unpacked.

use jiff::Timestamp;

/// How far from the instant a time may be and still be the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Near {
    /// A day before or after: nothing else is of that time.
    Day,
    /// The same instant written as local time: a zone is whole quarters of an hour away from UTC. ZIP counts two seconds.
    Zones,
}

const DAY: i64 = 86_400;
const QUARTER: i64 = 900;

/// Seconds since 1970, how near, who writes it and where that is documented.
#[rustfmt::skip]
const INSTANTS: &[(i64, Near, &str)] = &[
    // 0: `tar --mtime=@0`, kaniko --reproducible, buildah --timestamp 0, OSTree; 1: Nix (nix-store(1)), Guix, Jib (its FAQ).
    (0, Near::Day, "1970-01-01T00:00:00Z"),
    // An MS-DOS date of zero, read as the day before the first month: the module archives of Go, and JARs.
    (312_768_000, Near::Day, "1979-11-30T00:00:00Z"),
    // The first time that ZIP can hold (PKWARE APPNOTE 4.4.6): Cloud Native Buildpacks (…:01Z), Bazel, SOURCE_DATE_EPOCH of Nix.
    (315_532_800, Near::Day, "1980-01-01T00:00:00Z"),
    // Reproducible archives of Gradle.
    (318_211_200, Near::Zones, "1980-02-01T00:00:00Z"),
    // Archives of Yarn from 2 on.
    (456_789_000, Near::Day, "1984-06-22T21:50:00Z"),
    // What `npm pack` gives every member (pacote, `tar-create-options`).
    (499_162_500, Near::Day, "1985-10-26T08:15:00Z"),
    // rules_pkg of Bazel (`portable_mtime`).
    (946_684_800, Near::Zones, "2000-01-01T00:00:00Z"),
    // singlejar of Bazel.
    (1_262_304_000, Near::Zones, "2010-01-01T00:00:00Z"),
    // flit and poetry-core, where no SOURCE_DATE_EPOCH is set.
    (1_451_606_400, Near::Zones, "2016-01-01T00:00:00Z"),
    // hatchling (`get_reproducible_timestamp`).
    (1_580_601_600, Near::Zones, "2020-02-02T00:00:00Z"),
];

/// Whether a time is one of these instants, in whatever zone it was written, or lies before 1970.
pub fn is_normalised(time: Timestamp) -> bool {
    let seconds = time.as_second();
    let is = |(instant, near, _): &(i64, Near, &str)| {
        let offset = seconds.saturating_sub(*instant);
        let far = offset.unsigned_abs() > DAY.unsigned_abs();
        !far && (*near == Near::Day || offset.rem_euclid(QUARTER) <= 2)
    };
    seconds < 0 || INSTANTS.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_the_instant_that_it_says() {
        for (seconds, _, text) in INSTANTS {
            assert_eq!(text.parse::<Timestamp>().unwrap().as_second(), *seconds, "{text}");
        }
    }

    #[test]
    fn what_archivers_write_is_no_time() {
        for text in [
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:01Z",
            "1970-01-01T14:00:00Z",
            "1979-12-31T10:00:00Z",
            "1980-01-01T00:00:01Z",
            "1980-01-01T12:00:02Z",
            "1985-10-26T08:15:00Z",
            "1985-10-25T22:15:00Z",
            "2020-02-02T00:00:00Z",
            "2020-02-01T18:30:00Z",
            "2020-02-02T12:45:01Z",
            "2016-01-01T05:00:00Z",
        ] {
            assert!(is_normalised(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn times_of_the_same_days_are_times() {
        for text in [
            "2020-02-02T09:41:07Z",
            "2020-02-04T00:00:00Z",
            "2020-01-31T23:45:00Z",
            "2016-01-01T13:37:11Z",
            "2026-03-24T00:00:00Z",
            "2000-01-03T00:00:00Z",
        ] {
            assert!(!is_normalised(text.parse().unwrap()), "{text}");
        }
    }
}
