use super::*;

fn render(table: &Table, width: usize) -> (Vec<String>, Vec<usize>) {
    let (text, hidden) = table.render(Some(width));
    let lines: Vec<_> = text.lines().map(|line| console::strip_ansi_codes(line).into_owned()).collect();
    for line in &lines {
        assert!(measure_text_width(line) <= width, "{width}: {text}");
    }
    (lines, hidden)
}

#[test]
fn chinese_takes_two_columns_a_character() {
    let mut table = Table::new([("File", Align::Left), ("Size", Align::Right)]);
    table.row(["差旅报销制度.md".into(), "9 kB".into()]);
    table.row(["hours.md".into(), "12 kB".into()]);
    let (text, _) = table.render(None);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(measure_text_width(lines[1]), measure_text_width(lines[2]), "{text}");
    assert!(lines[1].ends_with(" 9 kB") && lines[2].ends_with("12 kB"), "{text}");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let mut table = Table::without_header([Align::Left]);
    table.row(["a\u{1b}[31mb".into()]);
    assert_eq!(table.render(None).0, "a [31mb");
}

/// A table as wide as that of jobs.
fn jobs() -> Table {
    let left = |name| (name, Align::Left);
    let mut table =
        Table::new([left("Id"), left("Kind"), left("Lane"), ("Attempt", Align::Right), left("Note")])
            .expendable([2, 3])
            .below(4);
    let cell = |text: &str| text.to_owned();
    let id = cell("job_01a226c1-264e-7054-a8c2-a2deb38e9bb3");
    let note = cell("the model server does not answer: connection refused, and it was asked five times");
    table.row([id.clone(), cell("ingest_document.v1"), cell("maintenance"), cell("1/5"), note]);
    table.row([id, cell("embed_chunks.v1"), cell("embed"), cell("1/5"), String::new()]);
    table
}

#[test]
fn a_narrow_terminal_gets_whole_words_and_whole_rows() {
    let (wide, hidden) = render(&jobs(), 200);
    assert_eq!((wide.len(), hidden.len()), (3, 0), "{wide:?}");
    let (lines, hidden) = render(&jobs(), 80);
    assert_eq!(hidden, [2], "{lines:?}");
    assert!(lines[0].starts_with("Id") && lines[0].ends_with("Attempt"), "{lines:?}");
    assert!(lines[1].ends_with("ingest_document.v1      1/5"), "{lines:?}");
    assert!(lines[2].starts_with("  the model server") && lines[2].ends_with('…'), "{lines:?}");
    assert_eq!(lines.len(), 4, "a row without a note has no line for it: {lines:?}");
    let (lines, hidden) = render(&jobs(), 64);
    assert_eq!(hidden, [2, 3], "{lines:?}");
}

#[test]
fn text_is_wrapped_between_words() {
    let mut table = Table::new([("File", Align::Left), ("Reason", Align::Left), ("Number", Align::Right)]);
    table.row(["a.md".into(), "it is too large for the server that was asked".into(), "1".into()]);
    let (lines, _) = render(&table, 40);
    let words: Vec<_> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
    for word in ["Number", "Reason", "large", "server", "asked"] {
        assert!(words.contains(&word), "{word} in {lines:?}");
    }
}
