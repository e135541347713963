use crate::ThemeId;

/// The power to make grants: a value that the daemon creates once, at start, and moves to where people are authenticated.
///
/// It is neither `Clone` nor `Default`, so whoever holds a reference was given it.
#[derive(Debug)]
pub struct Authority(());

impl Authority {
    /// Creates the authority of this process. Called once, by the daemon's wiring.
    pub const fn of_this_process() -> Self {
        Self(())
    }

    /// A grant for an authenticated person.
    pub fn grant(&self, who: impl Into<String>, theme: ThemeId, phase: Phase) -> Grant {
        Grant { who: who.into(), theme: Some(theme), phase, has_custody: false }
    }

    /// A grant to read the audit log: of a theme, or of the whole house.
    pub fn audit(&self, who: impl Into<String>, theme: Option<ThemeId>) -> Grant {
        Grant { who: who.into(), theme, phase: Phase::Audit, has_custody: false }
    }

    /// A grant for whoever decides about sealed items (R23): it alone reads them, lifts their seals and erases them.
    pub fn custody(&self, who: impl Into<String>, theme: ThemeId) -> Grant {
        Grant { has_custody: true, ..self.grant(who, theme, Phase::Analysis) }
    }
}

/// Leave to read content: who, of which theme, in which phase. Demanded by every function that returns content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    who: String,
    theme: Option<ThemeId>,
    phase: Phase,
    has_custody: bool,
}

impl Grant {
    /// The grant under which the machine itself works; audited as such.
    pub fn system(purpose: Purpose) -> Self {
        Self { who: format!("system:{}", purpose.name()), theme: None, phase: Phase::Analysis, has_custody: false }
    }

    /// Who holds it.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// The phase that it is for.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether it reaches sealed items.
    pub const fn has_custody(&self) -> bool {
        self.has_custody
    }

    /// Whether it covers every theme there is.
    pub const fn covers_every_theme(&self) -> bool {
        self.theme.is_none()
    }

    /// Whether it covers `theme`.
    pub fn covers(&self, theme: ThemeId) -> bool {
        self.theme.is_none_or(|granted| granted == theme)
    }
}

/// The processing phases, kept apart (R29).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Collecting: targets, logins, the state of the crawl. No page text.
    Technique,
    /// Information and analysis: search, observables, labels.
    Analysis,
    /// Operational use: dossiers.
    OperationalUse,
    /// None of them: what was done in all of them, and no content.
    Audit,
}

/// Why the machine reads content by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Filling the derived views.
    Derivation,
    /// Following links to what is to be fetched next.
    Scheduling,
    /// Checking and keeping up the store.
    Maintenance,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Derivation => "derivation",
            Self::Scheduling => "scheduling",
            Self::Maintenance => "maintenance",
        }
    }
}
