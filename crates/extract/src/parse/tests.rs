use super::*;

/// What one tag may cost at the most before the page counts as hostile, and then some.
const START: u64 = 60_000_000;

/// Work and length of a hostile page must be in proportion whatever its length.
fn check(page: impl Fn(usize) -> String, problem: Option<&Problem>) {
    for count in [1000, 20_000, 100_000] {
        let text = page(count);
        let parsed = parse(&text, &Limits::default());
        let bound = START + 200 * text.len() as u64;
        assert!(parsed.steps < bound, "{} steps for {} bytes", parsed.steps, text.len());
        if count == 100_000 {
            assert_eq!(
                problem.is_some(),
                problem.is_some_and(|problem| parsed.problems.contains(problem)),
                "{:?}",
                parsed.problems
            );
            assert!(
                parsed
                    .html
                    .tree
                    .root()
                    .descendants()
                    .any(|node| node.value().as_text().is_some_and(|text| text.contains("the end")))
            );
        }
    }
}

/// One unit many times, each with its number, and words at the end that must still be found.
fn repeat(unit: &str, count: usize) -> String {
    (0..count).map(|n| unit.replace('N', &n.to_string())).collect::<String>() + "<p>the end"
}

#[test]
fn deep_nesting_is_flattened() {
    check(|count| repeat("<div>", count), Some(&Problem::TooDeep));
    check(|count| repeat("<span>x", count), Some(&Problem::TooDeep));
    check(|count| repeat("<blockquote><p>", count), Some(&Problem::TooDeep));
    check(|count| repeat("<table><tr><td>", count), Some(&Problem::TooDeep));
    check(|count| repeat("<svg><g>", count), Some(&Problem::TooDeep));
    check(|count| repeat("<ul><li>", count), Some(&Problem::TooDeep));
}

#[test]
fn formatting_elements_that_nobody_closes() {
    check(|count| repeat("<p><b id=N><i id=N>x</p>", count), Some(&Problem::TooDeep));
    check(|count| repeat("<b id=N>", count), Some(&Problem::TooDeep));
    check(|count| repeat("<b id=N>", 500) + &repeat("<b id=N></b>", count), Some(&Problem::TooDeep));
    check(|count| repeat("<div>", 400) + &repeat("<b></div></b></x>", count), None);
    check(|count| repeat("<a href=N><div></a>", count), Some(&Problem::TooDeep));
    check(|count| repeat("<marquee><b id=N>", count), Some(&Problem::TooDeep));
}

#[test]
fn odd_tags_in_great_number() {
    check(|count| repeat("<body aN=1><html bN=1>", count), None);
    check(|count| repeat("</x>", count), None);
    check(|count| repeat("<table>x", count), None);
    check(|count| repeat("<select><option>", count), None);
    check(|count| repeat("<form><input name=N>", count), None);
    check(|count| repeat("<elementN attributeN=N>x</elementN>", count), None);
    check(|count| format!("<a {}>x</a>{}", repeat("aN ", count).replace('<', ""), repeat("", 1)), None);
}

#[test]
fn attributes_without_end_are_cut() {
    for unit in ["aN ", "aN/", "aN=''", "aN=\">\"", "aN='x' "] {
        let text = format!(
            "<p>words</p><x {}><p>the end",
            (0..400_000).map(|n| unit.replace('N', &n.to_string())).collect::<String>()
        );
        let parsed = parse(&text, &Limits::default());
        assert!(
            parsed
                .html
                .tree
                .root()
                .descendants()
                .any(|node| node.value().as_text().is_some_and(|text| text.contains("the end"))),
            "{unit}"
        );
        let most = parsed
            .html
            .tree
            .root()
            .descendants()
            .filter_map(|node| Some(node.value().as_element()?.attrs().count()))
            .max();
        assert!(most <= Some(64), "{unit}");
    }
}

#[test]
fn a_long_picture_within_the_page_is_left_alone() {
    let text = format!("<p>a</p><img src='data:image/png;base64,{}' alt=b><p>c</p>", "iVBORw0KGgo/AAA+".repeat(10_000));
    let parsed = parse(&text, &Limits::default());
    assert_eq!(parsed.html.root_element().text().collect::<String>(), "ac");
    assert!(parsed.problems.is_empty());
}

#[test]
fn links_beyond_the_limit_are_words() {
    let limits = Limits { links: 3, ..Limits::default() };
    let parsed = parse(&repeat("<a href=N>x</a> ", 20), &limits);
    assert_eq!(parsed.problems, [Problem::TooManyLinks]);
    let links = parsed
        .html
        .tree
        .root()
        .descendants()
        .filter(|node| node.value().as_element().is_some_and(|element| element.name() == "a"));
    assert_eq!(links.count(), 12);
    assert_eq!(parsed.html.root_element().text().collect::<String>().matches('x').count(), 20);
}

#[test]
fn ordinary_pages_are_let_through() {
    let page = "<!DOCTYPE html><html><body><div><p>one <b>two</b><p>three<table><tr><td>four<script>a<b</script></table><noscript><p>five</p></noscript></div>";
    let parsed = parse(page, &Limits::default());
    assert!(parsed.problems.is_empty());
    assert_eq!(
        parsed.html.root_element().text().collect::<String>(),
        "one two".to_owned() + "three" + "four" + "a<b" + "five"
    );
}
