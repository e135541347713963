use crate::sites::{
    book::Pages,
    chance::Chance,
    forum::talk::{BOARDS, Board, Member, Post, Talk, Thread},
    html::{CLOCK, Page, STYLE, TOKEN, TOOK, escape, link, paged, pager, paragraphs},
    prose::{self, Tongue},
};

const THREADS_PER_PAGE: usize = 10;
const POSTS_PER_PAGE: usize = 10;
const MEMBERS_PER_PAGE: usize = 30;
/// How many threads a profile lists, each with what the member said there first.
const LATEST: usize = 12;

/// The words around the talk, in the language of the board.
struct Labels {
    boards: &'static str,
    members: &'static str,
    rules: &'static str,
    posts: &'static str,
    wrote: &'static str,
    previous: &'static str,
    next: &'static str,
    reply: &'static str,
    log_out: &'static str,
    time: &'static str,
    took: &'static str,
}

fn labels(tongue: Tongue) -> Labels {
    match tongue {
        Tongue::English => Labels {
            boards: "Boards",
            members: "Members",
            rules: "Rules",
            posts: "posts",
            wrote: "wrote",
            previous: "Previous",
            next: "Next",
            reply: "Reply",
            log_out: "Log out",
            time: "Server time",
            took: "Page generated in",
        },
        Tongue::Dutch => Labels {
            boards: "Overzicht",
            members: "Leden",
            rules: "Regels",
            posts: "berichten",
            wrote: "schreef",
            previous: "Vorige",
            next: "Volgende",
            reply: "Antwoorden",
            log_out: "Uitloggen",
            time: "Servertijd",
            took: "Pagina gemaakt in",
        },
        Tongue::Russian => Labels {
            boards: "Разделы",
            members: "Участники",
            rules: "Правила",
            posts: "сообщений",
            wrote: "пишет",
            previous: "Назад",
            next: "Далее",
            reply: "Ответить",
            log_out: "Выход",
            time: "Время сервера",
            took: "Страница создана за",
        },
    }
}

/// Every page of the forum.
pub(super) fn write(talk: &Talk) -> Pages {
    let mut pages = Pages::new();
    pages.insert("/".to_owned(), page(None, "Night Ferry", &front(talk)));
    for (path, title, number) in [("/rules", "Rules", 0), ("/faq", "Questions and answers", 1)] {
        let text = paragraphs(&prose::rules(&mut Chance::of(talk.seed, "forum house", number), 60));
        pages.insert(path.to_owned(), page(None, title, &format!("<h1>{title}</h1>\n{text}")));
    }
    write_members(talk, &mut pages);
    for (number, board) in BOARDS.iter().enumerate() {
        write_board(talk, number, board, &mut pages);
    }
    for thread in &talk.threads {
        write_thread(talk, thread, &mut pages);
    }
    pages
}

/// A page around its main part. Outside of the boards the forum speaks English.
fn page(board: Option<&Board>, title: &str, main: &str) -> Page {
    let tongue = board.map_or(Tongue::English, |board| board.tongue);
    let is_silent_1251 = board.is_some_and(|board| board.is_silent_1251);
    let charset = if is_silent_1251 { "" } else { "<meta charset=\"utf-8\">\n" };
    let Labels { boards, members, rules, log_out, time, took, .. } = labels(tongue);
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n{charset}<title>{} - Night Ferry</title>\n<meta name=\"csrf-token\" content=\"{TOKEN}\">\n\
         <link rel=\"stylesheet\" href=\"/static/site.css\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <div class=\"top\"><a href=\"/\">Night Ferry: {boards}</a> | <a href=\"/members\">{members}</a> | <a href=\"/rules\">{rules}</a> | \
         <a href=\"/faq\">FAQ</a>\n<form action=\"/logout?csrf={TOKEN}\" method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"{TOKEN}\">\
         <button>{log_out}</button></form></div>\n<div class=\"wrap\"><div class=\"main\">\n{main}</div></div>\n\
         <div class=\"foot\">{time}: {CLOCK} - {took} {TOOK} ms</div>\n</body>\n</html>\n",
        tongue.code(),
        escape(title),
    );
    if is_silent_1251 { Page::silent_1251(html) } else { Page::utf8(html) }
}

fn front(talk: &Talk) -> String {
    let mut html =
        String::from("<h1>Night Ferry</h1>\n<table>\n<tr><th>Board</th><th>Threads</th><th>Latest</th></tr>\n");
    for (number, board) in BOARDS.iter().enumerate() {
        let threads: Vec<&Thread> = talk.threads.iter().filter(|thread| thread.board == number).collect();
        let latest: String =
            threads.iter().rev().take(5).map(|thread| format!("{}<br>\n", thread_link(thread))).collect();
        html.push_str(&format!(
            "<tr><td>{}<br>{}</td><td>{}</td><td>{latest}</td></tr>\n",
            link(&format!("/board/{}", board.slug), board.title),
            escape(board.about),
            threads.len()
        ));
    }
    html.push_str("</table>\n");
    html.push_str(&paragraphs(&prose::rules(&mut Chance::of(talk.seed, "forum front", 0), 20)));
    html
}

fn thread_link(thread: &Thread) -> String {
    link(&format!("/thread/{}", thread.number), &thread.subject)
}

fn member_link(member: &Member) -> String {
    link(&format!("/user/{}", member.name), &member.name)
}

fn write_board(talk: &Talk, number: usize, board: &Board, pages: &mut Pages) {
    let words = labels(board.tongue);
    let path = format!("/board/{}", board.slug);
    let threads: Vec<&Thread> = talk.threads.iter().filter(|thread| thread.board == number).collect();
    let count = threads.len().div_ceil(THREADS_PER_PAGE).max(1);
    for at in 1..=count {
        let mut html = format!("<h1>{}</h1>\n<p>{}</p>\n<table>\n", escape(board.title), escape(board.about));
        for thread in threads.iter().skip((at - 1) * THREADS_PER_PAGE).take(THREADS_PER_PAGE) {
            let first = thread.posts.first();
            let author = first.and_then(|post| talk.members.get(post.author)).map(member_link).unwrap_or_default();
            let opening = first.map(|post| post.text.join(" ")).unwrap_or_default();
            html.push_str(&format!(
                "<tr><td>{}<br>{}</td><td>{author}</td><td>{} {}</td></tr>\n",
                thread_link(thread),
                escape(&opening),
                thread.posts.len(),
                words.posts
            ));
        }
        html.push_str("</table>\n");
        html.push_str(&pager(&path, at, count, words.previous, words.next));
        pages.insert(paged(&path, at), page(Some(board), board.title, &html));
    }
}

fn write_thread(talk: &Talk, thread: &Thread, pages: &mut Pages) {
    let Some(board) = BOARDS.get(thread.board) else { return };
    let words = labels(board.tongue);
    let path = format!("/thread/{}", thread.number);
    let count = thread.posts.len().div_ceil(POSTS_PER_PAGE).max(1);
    for at in 1..=count {
        let mut html = format!(
            "<p class=\"crumbs\">{}</p>\n<h1>{}</h1>\n",
            link(&format!("/board/{}", board.slug), board.title),
            escape(&thread.subject)
        );
        let from = (at - 1) * POSTS_PER_PAGE;
        for (number, post) in thread.posts.iter().enumerate().skip(from).take(POSTS_PER_PAGE) {
            html.push_str(&said(talk, thread, number, post, &words));
        }
        html.push_str(&pager(&path, at, count, words.previous, words.next));
        html.push_str(&format!(
            "<form action=\"/reply\" method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"{TOKEN}\"><textarea name=\"text\"></textarea>\
             <button>{}</button></form>\n",
            words.reply
        ));
        pages.insert(paged(&path, at), page(Some(board), &thread.subject, &html));
    }
}

fn said(talk: &Talk, thread: &Thread, number: usize, post: &Post, words: &Labels) -> String {
    let Some(author) = talk.members.get(post.author) else { return String::new() };
    let quoted = post
        .quotes
        .and_then(|at| thread.posts.get(at))
        .and_then(|quoted| Some((talk.members.get(quoted.author)?, quoted)));
    let quote = quoted.map(|(member, quoted)| {
        format!(
            "<blockquote>{} {}:<br>{}</blockquote>\n",
            escape(&member.name),
            words.wrote,
            escape(&quoted.text.join(" "))
        )
    });
    // An address of another site is passed on as people do it: sometimes as a link, which leads out of the scope of any crawl of this one.
    let trace = post.trace.as_ref().map(|trace| match trace.strip_prefix("http://") {
        Some(_) if number.is_multiple_of(2) => format!("<p>{}</p>\n", link(trace, trace)),
        _ => format!("<p>{}</p>\n", escape(trace)),
    });
    format!(
        "<div class=\"post\" id=\"p{number}\"><div class=\"who\"><img src=\"/img/{}.png\" alt=\"\"><br>{}<br>{}</div>\n\
         <div class=\"said\"><a href=\"#p{number}\">#{}</a> {}\n{}<p>{}</p>\n{}<div class=\"sig\">{}</div></div></div>\n",
        author.name,
        member_link(author),
        author.joined,
        number + 1,
        post.date,
        quote.unwrap_or_default(),
        escape(&post.text.join(" ")),
        trace.unwrap_or_default(),
        escape(&author.name),
    )
}

fn write_members(talk: &Talk, pages: &mut Pages) {
    let count = talk.members.len().div_ceil(MEMBERS_PER_PAGE).max(1);
    for at in 1..=count {
        let mut html =
            String::from("<h1>Members</h1>\n<table>\n<tr><th>Name</th><th>Joined</th><th>Signature</th></tr>\n");
        for member in talk.members.iter().skip((at - 1) * MEMBERS_PER_PAGE).take(MEMBERS_PER_PAGE) {
            html.push_str(&format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                member_link(member),
                member.joined,
                escape(&member.signature)
            ));
        }
        html.push_str("</table>\n");
        html.push_str(&pager("/members", at, count, "Previous", "Next"));
        pages.insert(paged("/members", at), page(None, "Members", &html));
    }
    for (number, member) in talk.members.iter().enumerate() {
        pages.insert(format!("/user/{}", member.name), page(None, &member.name, &profile(talk, number, member)));
    }
}

fn profile(talk: &Talk, number: usize, member: &Member) -> String {
    let mut html = format!("<h1>{}</h1>\n<p>Joined: {}</p>\n<ul>\n", escape(&member.name), member.joined);
    for contact in &member.contacts {
        html.push_str(&format!("<li>{}</li>\n", escape(contact)));
    }
    html.push_str(&format!("</ul>\n<h2>About</h2>\n{}", paragraphs(&member.about)));
    if let Some(key) = &member.key {
        html.push_str(&format!("<pre class=\"pgp\">{key}</pre>\n"));
    }
    html.push_str("<h2>Threads</h2>\n<ul>\n");
    // Subject and words may be in another language than the page; that is how profiles look.
    let first_words =
        |thread: &Thread| thread.posts.iter().find(|post| post.author == number).map(|post| post.text.join(" "));
    let theirs = talk.threads.iter().filter_map(|thread| Some((thread, first_words(thread)?)));
    for (thread, words) in theirs.take(LATEST) {
        html.push_str(&format!("<li>{}<br>{}</li>\n", thread_link(thread), escape(&words)));
    }
    html.push_str("</ul>\n");
    html
}
