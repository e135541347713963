//! A body for each operation that takes one, as somebody might send it.

use serde_json::{Value, json};

const ONION: &str = "http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/";

/// The example of a body, by the name of its schema.
pub(super) fn of(schema: &str) -> Option<Value> {
    let terms = json!({
        "grounds": "Named in case 2026-0815 as the place where the goods were bought.",
        "expected_value": "Who sells there, and what.",
        "legal_basis": "Police Act, section 3",
        "necessity": "No other source is known.",
        "proportionality": "Public pages only; no account is made.",
        "reliability": "C",
        "credibility": 3,
        "seeds": [ONION],
        "review_at": "2026-12-01T00:00:00Z",
        "ends_at": "2027-03-01T00:00:00Z",
    });
    let watch = json!({
        "name": "lantern oil",
        "reason": "case 2026-0815",
        "query": "q=%22lantern+oil%22&kind=listing",
        "trigger": "arrival",
        "grouping": "uri",
    });
    Some(match schema {
        "DecisionEnd" => json!({ "decision": 1, "reasons": "The case is closed." }),
        "DossierAddition" => json!({ "versions": [17], "note": "came later" }),
        "ExportFile" => json!({ "path": "/var/lib/exports/market.wacz" }),
        "KeptCheckpoint" => {
            json!({ "checkpoint": "nachtwacht/02ba1e1913d3dab8\n40\nOdrz2+5wd0l9LdktQsQDcCvAlx0OebGwcsqIu2NvEIc=\n\n— nachtwacht/02ba1e1913d3dab8 1kjjL+yn\n" })
        }
        "NewAccount" => json!({ "name": "anna", "full_name": "Anna de Vries" }),
        "NewAcknowledgement" => json!({ "note": "known; part of case 2026-0815" }),
        "NewBackup" => json!({ "to": "/var/backups/nachtwacht", "keep_days": 30 }),
        "NewDossier" => {
            json!({ "title": "Lantern oil", "purpose": "case 2026-0815", "recipient": "bram", "versions": [17] })
        }
        "NewErasure" => json!({ "subject": "capture:17", "ground": "order of 2026-06-01", "dry_run": true }),
        "NewExport" => json!({ "selection": { "captures": [17] }, "format": "wacz", "purpose": "case 2026-0815" }),
        "NewHold" => json!({ "subject": "version:17", "reason": "evidence in case 2026-0815" }),
        "NewLabel" => json!({ "label": "relevant", "note": "sold by the seller of case 2026-0815" }),
        "NewLogin" => json!({ "cookies": [{ "name": "session", "value": "0123456789abcdef" }] }),
        "NewName" => json!({ "name": "the page shown in court" }),
        "NewPassword" => json!({ "old": "one-time", "new": "correct horse battery staple" }),
        "NewProbe" => {
            json!({ "uri": ONION, "grounds": "Is it the market, or a copy?", "legal_basis": "Police Act, section 3" })
        }
        "NewResults" => json!({ "query": "q=lantern", "purpose": "case 2026-0815" }),
        "NewRetentionRun" => json!({ "dry_run": true }),
        "NewRole" => {
            json!({ "role": "analyst", "theme": "marketplace", "qualification": "course of 2026-03", "ends_at": "2027-01-01T00:00:00Z" })
        }
        "NewSession" => json!({ "name": "anna", "password": "correct horse battery staple" }),
        "NewTarget" => json!({ "name": "market", "terms": terms }),
        "NewTerms" => json!({ "terms": { "ends_at": "2027-06-01T00:00:00Z" } }),
        "NewToken" => {
            json!({ "label": "weekly report", "ends_at": "2027-01-01T00:00:00Z", "scopes": [{ "role": "analyst", "theme": "marketplace" }] })
        }
        "NewWatch" => watch,
        "Reason" => json!({ "reason": "case 2026-0815" }),
        "Reasons" => json!({ "reasons": "The grounds are sound, and nothing milder would do." }),
        "TargetChange" => json!({ "name": "market, new address" }),
        "WatchUpdate" => json!({ "watch": watch, "reason": "narrower", "replaces": 17 }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::api;

    fn check<T: DeserializeOwned>(schema: &str) {
        serde_json::from_value::<T>(of(schema).unwrap()).unwrap_or_else(|error| panic!("{schema}: {error}"));
    }

    #[test]
    fn every_body_has_an_example_that_can_be_read() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(content) = operation["requestBody"]["content"].get("application/json") else { continue };
                assert!(content["example"].is_object(), "{method} {path} has no example");
            }
        }
        check::<api::NewAccount>("NewAccount");
        check::<api::NewErasure>("NewErasure");
        check::<api::NewExport>("NewExport");
        check::<api::NewHold>("NewHold");
        check::<api::NewLabel>("NewLabel");
        check::<api::NewRole>("NewRole");
        check::<api::NewTarget>("NewTarget");
        check::<api::NewToken>("NewToken");
        check::<api::NewWatch>("NewWatch");
        check::<api::WatchUpdate>("WatchUpdate");
    }
}
