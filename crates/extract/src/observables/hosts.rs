//! Names of hosts, and the ways in which people hide the signs in them: `[.]`, `(dot)`, ` dot `, `[at]`.

use std::ops::Range;

use super::words::Words;

/// How a sign is written, from plain to hidden best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Joint {
    /// `.`
    Plain,
    /// `[.]`, `(dot)`
    Bracketed,
    /// ` dot `
    Worded,
    /// ` . `
    Spaced,
}

const DOTS: [&str; 9] = ["dot", "d0t", "punt", "punkt", "point", "punto", "ponto", "точка", "тчк"];
const ATS: [&str; 8] = ["at", "ät", "а", "ат", "эт", "собака", "apestaartje", "arroba"];

/// The longest word for a sign with what is around it, in bytes.
const MAX_JOINT: usize = 28;

/// The length of the dot at the beginning of `rest`, and how it is written.
pub(super) fn dot(rest: &str) -> Option<(usize, Joint)> {
    joint(rest, '.', &DOTS)
}

/// The length of the at sign at the beginning of `rest`, and how it is written.
pub(super) fn at_sign(rest: &str) -> Option<(usize, Joint)> {
    joint(rest, '@', &ATS)
}

/// Whether the word that begins at a place may stand for a sign, at a glance.
pub(super) fn may_be_sign(words: &Words<'_>, start: usize) -> bool {
    let [a, b, c] = [0, 1, 2].map(|at| words.byte(start + at).to_ascii_lowercase());
    matches!(
        [a, b, c],
        [b'a', b't', b' ']
            | [b'd', b'o' | b'0', b't']
            | [b'p', b'u' | b'o', b'n' | b'i']
            | [b'a', b'p', b'e']
            | [b'a', b'r', b'r']
    )
}

fn joint(rest: &str, sign: char, words: &[&str]) -> Option<(usize, Joint)> {
    let rest = rest.get(..rest.floor_char_boundary(MAX_JOINT)).unwrap_or(rest);
    if let Some(after) = rest.strip_prefix(sign) {
        if after.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Some((1, Joint::Plain));
        }
        return after.starts_with(' ').then_some((2, Joint::Spaced));
    }
    let inner = rest.strip_prefix(' ').unwrap_or(rest);
    let close = match inner.as_bytes().first()? {
        b'[' => ']',
        b'(' => ')',
        b'{' => '}',
        b'<' => '>',
        b'*' | b'_' | b'-' | b'|' if inner.len() < rest.len() => char::from(*inner.as_bytes().first()?),
        _ => {
            let inner = rest.strip_prefix(' ')?;
            if let Some(after) = inner.strip_prefix(sign) {
                return Some((2 + usize::from(after.starts_with(' ')), Joint::Spaced));
            }
            let word = inner.split(' ').next().filter(|word| word.len() < inner.len())?;
            // One letter between spaces is a word of its own.
            let is_sign = word.chars().count() > 1 && is_one_of(word, words);
            return is_sign.then_some((word.len() + 2, Joint::Worded));
        }
    };
    let (content, after) = inner.get(1..)?.split_once(close)?;
    let content = content.trim();
    let is_sign =
        content.chars().eq([sign]) || is_one_of(content, words) || (sign == '@' && matches!(content, "a" | "A"));
    let len = rest.len() - after.len() + usize::from(after.starts_with(' '));
    is_sign.then_some((len, Joint::Bracketed))
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
        || (!word.is_ascii() && words.contains(&word.to_lowercase().as_str()))
}

/// A name of a host in a text.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) at: Range<usize>,
    /// The name in lower case, joined by plain dots.
    pub(super) name: String,
    /// The best hidden of its dots.
    pub(super) joint: Joint,
}

impl Host {
    pub(super) fn tld(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    pub(super) fn labels(&self) -> usize {
        self.name.split('.').count()
    }

    /// Whether it is the name of a service inside a network of its own.
    pub(super) fn is_hidden(&self) -> bool {
        matches!(self.tld(), "onion" | "i2p")
    }
}

/// The name of two labels and more that begins at `start`, under a top-level domain that exists, and with dots written at most as hidden as `most`.
pub(super) fn host(words: &Words<'_>, start: usize, most: Joint) -> Option<Host> {
    let mut host = any_host(words, start, most)?;
    while !is_tld(&host, words) {
        // What follows may be the next sentence: `Ask at example.com.Then …`.
        let (shorter, last) = host.name.rsplit_once('.')?;
        let end = host.at.end - last.len() - 1;
        let is_sentence = words.byte(end + 1).is_ascii_uppercase() && words.byte(end) == b'.';
        if !is_sentence || !shorter.contains('.') {
            return None;
        }
        host = Host { at: host.at.start..end, name: shorter.to_owned(), joint: host.joint };
    }
    Some(host)
}

/// As [`host`], under any top-level domain of letters.
pub(super) fn any_host(words: &Words<'_>, start: usize, most: Joint) -> Option<Host> {
    let (mut name, mut end, mut worst) = (String::new(), start, Joint::Plain);
    let mut next = start;
    for _ in 0..MAX_LABELS {
        let label = label(words, next);
        if label.is_empty() {
            break;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(label);
        end = next + label.len();
        let Some((len, joint)) = dot(words.slice(end..words.text.floor_char_boundary(end + MAX_JOINT))) else { break };
        if joint > most || !words.byte(end + len).is_ascii_alphanumeric() {
            break;
        }
        worst = worst.max(joint);
        next = end + len;
    }
    name.make_ascii_lowercase();
    let is_host = name.rsplit_once('.').is_some_and(|(_, tld)| {
        tld.len() >= 2
            && (tld.bytes().all(|byte| byte.is_ascii_alphabetic()) || tld.starts_with("xn--") || tld == "i2p")
    });
    is_host.then_some(Host { at: start..end, name, joint: worst })
}

const MAX_LABELS: usize = 16;

/// Letters, digits and inner hyphens, at most 63 (RFC 1035, section 2.3.4).
fn label<'a>(words: &Words<'a>, start: usize) -> &'a str {
    let rest = words.text.as_bytes().get(start..).unwrap_or_default();
    let len = rest.iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let label = words.slice(start..start + len).trim_end_matches('-');
    if len > 63 || label.starts_with('-') { "" } else { label }
}

/// Top-level domains of three letters and more that sites in earnest have.
const GENERIC: &str = " com net org info biz edu gov mil int arpa name pro mobi asia tel jobs travel coop aero museum post xxx onion i2p exit loki \
    app dev io page site online store shop club xyz top live life world today space website tech cloud digital email chat link click help support \
    network systems agency media news blog wiki art design studio video photos pictures gallery social community group team center zone city \
    market markets trade trading exchange money cash finance fund capital bank credit loans tax ventures company business solutions services \
    consulting global international foundation institute academy education school university careers work training health care clinic dental \
    doctor pharmacy fit fitness yoga restaurant cafe bar pub beer wine food kitchen pizza recipes fashion clothing shoes jewelry beauty hair \
    salon style luxury gold diamonds vip red blue black pink green guru ninja expert tips rocks fun games game play bet casino poker lol wtf \
    icu cyou buzz monster quest rest bond sbs cfd gay sexy adult porn sex cam webcam dating love wedding family baby kids pet dog fish horse \
    farm garden eco energy solar auto car cars bike taxi limo flights holiday cruise hotel house homes land property estate rent lease build \
    builders construction contractors direct express delivery supply supplies tools parts equipment industries gmbh inc llc ltd srl \
    fail ooo one win vote party democrat republican army navy airforce rip ist berlin amsterdam paris london moscow tokyo nyc cat eus gal \
    swiss wales scot vlaanderen brussels hamburg koeln wien boston miami vegas sydney melbourne africa latino kiwi moe moda ngo ong \
    security protection audio band movie film show theater radio stream tube run cool band ink mom surf icu uno host hosting domains download \
    software codes computer camera phone mobile report reviews review press guide works forsale deals bargains discount sale promo gift gifts ";

/// Country codes among top-level domains (ISO 3166-1, and what was added to it).
const COUNTRIES: &str = " ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz ca cc cd cf cg ch \
    ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr \
    gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv \
    ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr \
    ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv \
    tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw ";

fn is_tld(host: &Host, words: &Words<'_>) -> bool {
    let tld = host.tld();
    let is_in = |list: &str| {
        list.match_indices(tld).any(|(at, _)| {
            list.as_bytes().get(at.wrapping_sub(1)) == Some(&b' ') && list.as_bytes().get(at + tld.len()) == Some(&b' ')
        })
    };
    if tld.starts_with("xn--") {
        return true;
    }
    if tld.len() > 2 {
        return is_in(GENERIC);
    }
    // `Order.It` is the end of a sentence and no country's.
    let raw = words.slice(host.at.clone());
    let is_capital =
        raw.get(raw.len() - tld.len()..).is_some_and(|tld| tld.starts_with(|c: char| c.is_ascii_uppercase()));
    is_in(COUNTRIES) && (!is_capital || !raw.bytes().any(|byte| byte.is_ascii_lowercase()))
}
