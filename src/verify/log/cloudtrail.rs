//! CloudTrail: the files of a trail in S3, and `aws cloudtrail lookup-events`.
//!
//! ```text
//! {"Records": [{"eventTime": "…", "eventName": "…", "userIdentity": {"accessKeyId": "AKIA…"}, "errorCode": "AccessDenied",
//!   "recipientAccountId": "123456789012", "requestParameters": {"accessKeyId": "AKIA…", "status": "Inactive"}}]}
//! {"Events": [{"EventId": "…", "CloudTrailEvent": "{…the same as text…}"}], "NextToken": "…"}
//! ```
//!
//! `AccessDenied` means that the key was accepted and the request was not: the key is alive. A key that is inactive or deleted
//! leaves no event in most services. What was done by sessions that the key made has their own ids. Event history holds the
//! management events of one region and 90 days; data events are in a trail alone, where it was set up. Documented in the CloudTrail
//! record reference. A search by `AccessKeyId` finds what a key did, one by `ResourceName` what was done to it (in us-east-1).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Event, Log, text, time};

/// Errors that say that the key itself was not accepted.
const REFUSED: &[&str] = &[
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "AuthFailure",
    "InvalidAccessKeyId",
];

/// The log.
pub struct Trail;

impl Log for Trail {
    fn name(&self) -> &'static str {
        "cloudtrail"
    }

    fn title(&self) -> &'static str {
        "CloudTrail"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["aws.access_key", "aws.session_cache"]
    }

    fn fits(&self, record: &Value) -> bool {
        let has = |field: &str| record.get(field).is_some();
        has("CloudTrailEvent") || (has("eventTime") && has("eventSource") && has("eventName"))
    }

    fn holds(&self, list: &str, _: &Map<String, Value>) -> bool {
        matches!(list, "Records" | "Events")
    }

    fn event(&self, record: &Value) -> Option<Event> {
        let whole = match text(record, "/CloudTrailEvent") {
            Some(inner) => Cow::Owned(serde_json::from_str(inner).ok()?),
            None => Cow::Borrowed(record),
        };
        let at = time(&whole, "/eventTime")?;
        let by = text(&whole, "/userIdentity/accessKeyId").map(str::to_owned);
        let error = text(&whole, "/errorCode");
        let refused = error.is_some_and(|code| REFUSED.iter().any(|r| code.ends_with(r)));
        let target = text(&whole, "/requestParameters/accessKeyId").filter(|_| error.is_none());
        let how = match (text(&whole, "/eventName"), text(&whole, "/requestParameters/status")) {
            (Some("DeleteAccessKey"), _) => Some(Some("deleted")),
            (Some("UpdateAccessKey"), Some("Inactive")) => Some(Some("made inactive")),
            (Some("UpdateAccessKey"), Some("Active")) => Some(None),
            _ => None,
        };
        let changes = target.zip(how).map(|(id, how)| (id.to_owned(), how));
        let manages = text(&whole, "/eventName").is_some_and(|name| name.ends_with("AccessKey"));
        let own = |pointer: &str| text(&whole, pointer).map(str::to_owned);
        Some(Event { at, by, refused, changes, manages, account: own("/recipientAccountId"), part: own("/awsRegion") })
    }
}
