use model::FormKind;

/// What stands in a form, as far as it tells what the form asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Fields for a password.
    pub(crate) passwords: usize,
    /// Fields for one line of text.
    pub(crate) texts: usize,
    /// Text areas and lists to choose from.
    pub(crate) others: usize,
    /// Fields and buttons of any kind.
    pub(crate) controls: usize,
    /// Whether a field asks for words to look for.
    pub(crate) has_search: bool,
    /// Whether a field asks how many.
    pub(crate) has_quantity: bool,
    /// Whether a field or picture speaks of a captcha.
    pub(crate) has_captcha: bool,
    /// Whether a visitor does not see it.
    pub(crate) is_hidden: bool,
}

impl Form {
    pub(crate) fn kind(&self) -> FormKind {
        if self.passwords > 0 {
            FormKind::Login
        } else if self.has_captcha {
            FormKind::Captcha
        } else if self.has_search {
            FormKind::Search
        } else {
            FormKind::Post
        }
    }

    /// Whether proof of being human is all that it asks for.
    pub(crate) fn is_challenge(&self) -> bool {
        self.has_captcha && self.passwords == 0 && self.others == 0
    }

    /// Takes in a text area, or a list to choose from.
    pub(crate) fn add_other(&mut self) {
        self.controls += 1;
        self.others += 1;
    }

    pub(crate) fn add_input(&mut self, kind: &str, name: &str) {
        self.controls += 1;
        match kind.to_ascii_lowercase().as_str() {
            "password" => self.passwords += 1,
            "search" => {
                self.texts += 1;
                self.has_search = true;
            }
            "hidden" | "submit" | "button" | "reset" | "image" | "checkbox" | "radio" | "file" | "range" | "color" => {}
            _ => {
                self.texts += 1;
                self.has_search |= names_a_search(name);
                self.has_quantity |= names_a_quantity(name);
            }
        }
    }
}

/// Whether a field's name asks for words to look for.
fn names_a_search(name: &str) -> bool {
    let name = name.to_lowercase();
    matches!(
        name.as_str(),
        "q" | "s"
            | "query"
            | "keyword"
            | "keywords"
            | "term"
            | "terms"
            | "text_search"
            | "zoek"
            | "zoekterm"
            | "suche"
            | "поиск"
    ) || name.contains("search")
        || name.contains("zoek")
}

/// Whether a field's name asks how many.
fn names_a_quantity(name: &str) -> bool {
    ["qty", "quantity", "amount", "aantal", "menge", "количество"].iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// Whether an attribute's value speaks of a captcha. Pictures within the page are not read through.
pub(crate) fn speaks_of_captcha(value: &str) -> bool {
    let value = value.get(..value.floor_char_boundary(300)).unwrap_or_default();
    if value.starts_with("data:") {
        return false;
    }
    let lower = value.to_lowercase();
    [
        "captcha",
        "enter the characters",
        "type the characters",
        "капч",
        "turing",
        "not a robot",
        "are you human",
        "verify you are human",
        "geen robot",
        "не робот",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inputs: &[(&str, &str)], has_captcha: bool, expect: FormKind) {
        let mut form = Form { has_captcha, ..Form::default() };
        for (kind, name) in inputs {
            form.add_input(kind, name);
        }
        assert_eq!(form.kind(), expect, "{inputs:?}");
    }

    #[test]
    fn forms_are_told_by_their_fields() {
        check(&[("text", "user"), ("PASSWORD", "pw")], true, FormKind::Login);
        check(&[("text", "answer")], true, FormKind::Captcha);
        check(&[("text", "q"), ("submit", "")], false, FormKind::Search);
        check(&[("search", "x")], false, FormKind::Search);
        check(&[("", "zoekterm")], false, FormKind::Search);
        check(&[("text", "amount"), ("hidden", "search")], false, FormKind::Post);
        check(&[], false, FormKind::Post);
    }

    #[test]
    fn captchas_are_named_in_many_ways() {
        assert!(speaks_of_captcha("/public/CaptchaImg/1.jpg"));
        assert!(speaks_of_captcha("введите капчу"));
        assert!(!speaks_of_captcha("data:image/png;base64,captcha"));
        assert!(!speaks_of_captcha("capture"));
    }
}
