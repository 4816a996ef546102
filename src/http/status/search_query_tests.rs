use super::*;

#[test]
fn a_link_asks_the_same_again() {
    let question = SearchQuery {
        text: "a&b=\"<script>\" ü".to_owned(),
        server: "a&b".to_owned(),
        database: "app #1".to_owned(),
        filter: Filter::Healthy,
        sort: Some(SortKey::Lag),
        direction: Some(Direction::Ascending),
        page: 7,
        all_cards: true,
        databases: Some(2),
    };
    let link = question.link("sequences");
    assert!(!link.contains(['<', '"', ' ']), "{link}");
    let query = link.strip_prefix('?').and_then(|link| link.strip_suffix("#sequences")).unwrap();
    assert_eq!(SearchQuery::read(query), question);
    assert_eq!(SearchQuery::read("").link("sequences"), "./#sequences");
}

#[test]
fn nonsense_is_as_if_it_were_not_there() {
    let nothing = SearchQuery { page: 1, ..SearchQuery::default() };
    let large = "q=".to_owned() + &"x".repeat(10_000);
    let odd = ["status=well", "x=y", "q=%20", "sort=best", "dir=up", "databases=0", "databases=x", "attention=1"];
    let pages = ["", "&&==", "page=0", "page=-1", "page=99999999999999999999999"];
    for query in odd.into_iter().chain(pages) {
        assert_eq!(SearchQuery::read(query), nothing, "{query}");
    }
    assert_eq!(SearchQuery::read(&large).text.len(), LONGEST);
    assert_eq!(SearchQuery::read("q=%ff%00").text, "\u{fffd}\\u{0}");
}

#[test]
fn a_search_looks_for_a_few_words_only() {
    let flood = "q=".to_owned() + &vec!["t"; 150].join("+");
    assert_eq!(SearchQuery::read(&flood).words().len(), MOST_WORDS);
}

#[test]
fn a_column_that_orders_the_rows_turns_them_around() {
    let first = SearchQuery::read("q=x&page=3").sorted_by(SortKey::Lag);
    assert_eq!((first.order(), first.page), ((SortKey::Lag, true), 1));
    let second = first.sorted_by(SortKey::Lag);
    assert_eq!(second.order(), (SortKey::Lag, false));
    assert_eq!(second.sorted_by(SortKey::Lag).order(), (SortKey::Lag, true));
    let back = second.sorted_by(SortKey::Status);
    assert_eq!((back.order(), back.link("sequences")), ((SortKey::Status, true), "?q=x#sequences".to_owned()));
}
