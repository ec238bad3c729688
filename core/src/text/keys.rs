//! The words of keyword search as numbers, for a database that finds rows by the numbers that they hold.

use super::keywords;
use crate::Tenant;

/// How many neighbouring passages of a version share one row of such an index. They share most of their words, so a
/// row for many of them is far smaller, and far cheaper to write, than many rows.
pub const PASSAGES_PER_ROW: u32 = 64;

/// A tenant's word: 64-bit FNV-1a over tenant, `0xff` and word, its halves folded. Rows hold it: it must never change.
///
/// Two words may share a number, so what is found by numbers is a candidate. Tenants share none but by chance: nobody's
/// words make another's lists long.
pub fn word_key(tenant: &Tenant, term: &str) -> i32 {
    let bytes = tenant.as_str().bytes().chain([0xff]).chain(term.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) as u32 ^ hash as u32).cast_signed()
}

/// The numbers of a text's words, each once, ascending.
pub fn word_keys<'a>(tenant: &Tenant, texts: impl IntoIterator<Item = &'a str>) -> Vec<i32> {
    let terms = texts.into_iter().flat_map(keywords);
    let mut keys: Vec<i32> = terms.map(|term| word_key(tenant, &term)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_one_number_per_tenant_for_ever() {
        let [a, b] = ["acme", "租户"].map(Tenant::from);
        assert_eq!(word_key(&a, "所有"), word_key(&a, "所有"));
        assert_ne!(word_key(&a, "所有"), word_key(&b, "所有"));
        assert_ne!(word_key(&Tenant::from("a"), "bc"), word_key(&Tenant::from("ab"), "c"));
        // FNV-1a of "\xff", folded: rows that were written once are found for ever.
        assert_eq!(word_key(&Tenant::from(""), ""), 694_589_730);
    }

    #[test]
    fn every_word_of_a_text_counts_once() {
        let tenant = Tenant::from("acme");
        let keys = word_keys(&tenant, ["泵 the pump", "The pumps 泵"]);
        assert_eq!(keys.len(), 3);
        assert!(keys.is_sorted());
        assert!(["泵", "the", "pump"].iter().all(|term| keys.contains(&word_key(&tenant, term))));
    }
}
