#![allow(clippy::unwrap_used)]

use super::{Decoded, decode};
use crate::ParseError;
use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS, WINDOWS_1252};

const SIMPLIFIED: &str =
    "所有权是 Rust 最为与众不同的特性，它让 Rust 无需垃圾回收器即可保证内存安全。\r\n第二行：借用与切片。\n";
const TRADITIONAL: &str =
    "所有權是程式語言中管理記憶體的規則。每個值都有一個擁有者，當擁有者離開作用域時，這個值就會被丟棄。\n";
const JAPANESE: &str = "所有権はメモリを管理するための規則です。それぞれの値には所有者がいて、スコープを抜けると値は破棄されます。\n";
const KOREAN: &str = "소유권은 메모리를 관리하는 규칙의 집합입니다. 각각의 값에는 소유자가 있습니다.\n";
const GERMAN: &str = "Die Größe der Äpfel überrascht: für jeden Käufer gibt es fünf süße Früchte.\n";

fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    let (bytes, _, unmappable) = encoding.encode(text);
    assert!(!unmappable);
    bytes.into_owned()
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

fn detected(bytes: &[u8]) -> Decoded {
    decode(bytes, None, None).unwrap()
}

#[test]
fn the_usual_character_sets_are_detected() {
    for (text, encoding, name) in [
        (SIMPLIFIED, GBK, "gb18030"),
        (SIMPLIFIED, GB18030, "gb18030"),
        (TRADITIONAL, BIG5, "Big5"),
        (JAPANESE, SHIFT_JIS, "Shift_JIS"),
        (JAPANESE, EUC_JP, "EUC-JP"),
        (KOREAN, EUC_KR, "EUC-KR"),
        (GERMAN, WINDOWS_1252, "windows-1252"),
        (SIMPLIFIED, encoding_rs::UTF_8, "UTF-8"),
        ("ASCII only\r\n", encoding_rs::UTF_8, "UTF-8"),
    ] {
        let decoded = detected(&encoded(text, encoding));
        assert_eq!((decoded.text.as_str(), decoded.charset), (text, name));
        let late = format!("{}{text}", "fn main() {}\n".repeat(200_000));
        assert_eq!(detected(&encoded(&late, encoding)).text, late, "{name} far down in the file");
    }
}

#[test]
fn rare_han_beyond_gbk_is_gb18030() {
    let text = format!("{SIMPLIFIED}𠮷㐂ḿ");
    assert_eq!(detected(&encoded(&text, GB18030)).text, text);
}

#[test]
fn utf16_is_read_with_and_without_its_mark() {
    for text in [SIMPLIFIED, TRADITIONAL, JAPANESE, KOREAN, GERMAN, "plain\nASCII text", "abcdefgh"] {
        for (mark, bytes, name) in [
            (b"\xff\xfe", utf16(text, u16::to_le_bytes), "UTF-16LE"),
            (b"\xfe\xff", utf16(text, u16::to_be_bytes), "UTF-16BE"),
        ] {
            for bytes in [[mark.as_slice(), &bytes].concat(), bytes] {
                let decoded = detected(&bytes);
                assert_eq!((decoded.text.as_str(), decoded.charset), (text, name));
            }
        }
    }
}

#[test]
fn only_the_mark_is_taken_away() {
    let decoded = detected("\u{feff}\u{feff}a\r\nb\rc\u{2028}e\u{301}\u{feff}".as_bytes());
    assert_eq!(decoded.text, "\u{feff}a\r\nb\rc\u{2028}e\u{301}\u{feff}");
    assert_eq!(detected(b"\x1b[31mred\x1b[0m log line\n").text, "\u{1b}[31mred\u{1b}[0m log line\n");
}

#[test]
fn the_callers_charset_is_obeyed() {
    let bytes = encoded(TRADITIONAL, BIG5);
    for label in ["big5", " Big5-HKSCS "] {
        assert_eq!(decode(&bytes, Some(label), None).unwrap().text, TRADITIONAL);
    }
    assert_eq!(decode(SIMPLIFIED.as_bytes(), Some(""), None).unwrap().text, SIMPLIFIED);
    let marked = [b"\xfe\xff".as_slice(), &utf16(KOREAN, u16::to_be_bytes)].concat();
    assert_eq!(decode(&marked, Some("utf-16"), None).unwrap().text, KOREAN);
    assert_eq!(decode(b"\xef\xbb\xbfx", Some("UTF-8"), None).unwrap().text, "x");
    assert_eq!(decode(&utf16(JAPANESE, u16::to_le_bytes), Some("utf-16le"), None).unwrap().text, JAPANESE);
}

#[test]
fn a_wrong_charset_is_named() {
    let gbk = encoded(SIMPLIFIED, GBK);
    for (bytes, label) in [
        (gbk.as_slice(), "utf-8"),
        (SIMPLIFIED.as_bytes(), "shift_jis"),
        (TRADITIONAL.as_bytes(), "euc-kr"),
        (JAPANESE.as_bytes(), "big5"),
    ] {
        let error = decode(bytes, Some(label), None).unwrap_err();
        assert!(matches!(error, ParseError::WrongCharset { .. }), "{label}: {error}");
        assert!(
            error.to_string().starts_with(&format!("The file is not in the charset {label}: ")),
            "{error}"
        );
    }
    let error = decode(b"x", Some("klingon"), None).unwrap_err();
    assert_eq!(error, ParseError::UnknownCharset("klingon".to_owned()));
    assert_eq!(decode(b"\xff\xfe\0\0x\0\0\0", None, None).unwrap_err(), ParseError::Utf32);
    let error = decode(b"\xef\xbb\xbfx", Some("gbk"), None).unwrap_err();
    assert_eq!(error, ParseError::ContradictoryCharset { given: "gbk".to_owned(), found: "UTF-8" });
}

#[test]
fn a_lost_byte_does_not_turn_utf8_into_something_else() {
    let mut bytes = SIMPLIFIED.repeat(20).into_bytes();
    bytes.truncate(bytes.len() - 6);
    bytes.remove(300);
    let decoded = detected(&bytes);
    assert_eq!(decoded.charset, "UTF-8");
    assert!((1..=4).contains(&decoded.text.matches('\u{fffd}').count()));
}

#[test]
fn binary_content_is_refused() {
    for (bytes, words) in [
        (vec![0; 1000], "it consists of zero bytes"),
        (b"text with a \0 in it".to_vec(), "it has zero bytes"),
        ((0..2000_u32).map(|n| ((n * 7919) >> 3) as u8).collect(), "it has zero bytes"),
        ((0..2000_u32).map(|n| 1 + (n % 31) as u8).collect(), "are control characters"),
    ] {
        let error = decode(&bytes, None, None).unwrap_err();
        assert!(error.to_string().contains("binary content") && error.to_string().contains(words), "{error}");
    }
    assert_eq!(decode(b"", None, None), Err(ParseError::Empty));
    assert!(matches!(decode(b"\0\0", Some("utf-8"), None), Err(ParseError::Binary(_))));
    assert!(matches!(decode(b"a\0b\0c", Some("utf-8"), None), Err(ParseError::Binary(_))));
}

#[test]
fn a_hint_is_believed_if_it_fits() {
    let bytes = encoded("短", SHIFT_JIS);
    assert_eq!(decode(&bytes, None, Some(SHIFT_JIS)).unwrap().text, "短");
    let gbk = encoded(SIMPLIFIED, GBK);
    assert_eq!(decode(&gbk, None, Some(SHIFT_JIS)).unwrap().text, SIMPLIFIED);
}

#[test]
fn a_file_that_was_cut_within_a_character_keeps_its_charset() {
    let traditional = "圖書館每週一閉館。借書證每年收費十二元，十六歲以下免費。";
    let japanese = "図書館は毎週月曜日が休館日です。利用カードの年会費は千二百円です。";
    let korean = "도서관은 매주 월요일에 휴관합니다. 카드의 연회비는 만이천 원입";
    for (text, encoding) in
        [(SIMPLIFIED.trim_end(), GBK), (traditional, BIG5), (japanese, SHIFT_JIS), (korean, EUC_KR)]
    {
        for times in [1, 10] {
            let whole = text.repeat(times);
            let bytes = encoded(&whole, encoding);
            let decoded = detected(&bytes[..bytes.len() - 1]);
            let expected = if encoding == GBK { GB18030 } else { encoding };
            assert_eq!(decoded.charset, expected.name(), "{times} x {text}");
            let kept = whole.chars().count() - 1;
            assert!(decoded.text.chars().take(kept).eq(whole.chars().take(kept)), "{}", decoded.text);
        }
    }
}

#[test]
fn two_chinese_characters_are_enough() {
    let english = "The meeting notes describe the budget, the roof repair and the opening hours. ".repeat(30);
    for word in ["你好", "发票", "联系人：李四", "上海市", "《合同》"] {
        for text in [word.to_owned(), format!("{english}{word} {english}")] {
            let decoded = detected(&encoded(&text, GBK));
            assert_eq!((decoded.text, decoded.charset), (text, "gb18030"));
        }
    }
    for (text, encoding) in
        [("한국어 문서", EUC_KR), ("Größe über naïve", WINDOWS_1252), ("日本語の文書です", SHIFT_JIS)]
    {
        assert_eq!(detected(&encoded(text, encoding)).text, text);
    }
}

#[test]
fn latin_with_a_zero_byte_is_not_utf16() {
    for times in [1, 3, 300] {
        for tail in ["\0", "\n\0"] {
            let bytes = format!("{}{tail}", "hello world\n".repeat(times));
            let error = decode(bytes.as_bytes(), None, None).unwrap_err();
            assert!(error.to_string().contains("it has zero bytes"), "{error}");
        }
    }
}
