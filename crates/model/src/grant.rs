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
        Grant { who: who.into(), theme: Some(theme), phase, has_custody: false, dossier: None }
    }

    /// A grant to read the audit log: of a theme, or of the whole house.
    pub fn audit(&self, who: impl Into<String>, theme: Option<ThemeId>) -> Grant {
        Grant { who: who.into(), theme, phase: Phase::Audit, has_custody: false, dossier: None }
    }

    /// A grant for whoever decides about sealed items (R23): it alone reads them, lifts their seals and erases them.
    pub fn custody(&self, who: impl Into<String>, theme: ThemeId) -> Grant {
        Grant { has_custody: true, ..self.grant(who, theme, Phase::Analysis) }
    }

    /// A grant for whoever reads one dossier, by its leaf: it covers what the dossier holds, and nothing else of the theme.
    pub fn dossier(&self, who: impl Into<String>, theme: ThemeId, dossier: u64) -> Grant {
        Grant { dossier: Some(dossier), ..self.grant(who, theme, Phase::OperationalUse) }
    }
}

/// Leave to read content: who, of which theme, in which phase. Demanded by every function that returns content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    who: String,
    theme: Option<ThemeId>,
    phase: Phase,
    has_custody: bool,
    dossier: Option<u64>,
}

impl Grant {
    /// The grant under which the machine itself works; audited as such.
    pub fn system(purpose: Purpose) -> Self {
        Self {
            who: format!("system:{}", purpose.name()),
            theme: None,
            phase: Phase::Analysis,
            has_custody: false,
            dossier: None,
        }
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

    /// Whether it covers `theme`. One for a dossier covers no theme.
    pub fn covers(&self, theme: ThemeId) -> bool {
        self.dossier.is_none() && self.theme.is_none_or(|granted| granted == theme)
    }

    /// Whether it covers what this dossier of `theme` holds.
    pub fn covers_dossier(&self, theme: ThemeId, dossier: u64) -> bool {
        self.theme.is_none_or(|granted| granted == theme) && self.dossier.is_none_or(|granted| granted == dossier)
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
    /// Reading what a dossier holds, for whoever it was released to.
    Release,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Derivation => "derivation",
            Self::Scheduling => "scheduling",
            Self::Maintenance => "maintenance",
            Self::Release => "release",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_for_a_dossier_covers_nothing_else() {
        let theme = |name: &str| name.parse::<ThemeId>().unwrap();
        let authority = Authority::of_this_process();
        let grant = authority.dossier("ann", theme("marketplace"), 7);
        assert!(grant.covers_dossier(theme("marketplace"), 7));
        assert!(!grant.covers_dossier(theme("marketplace"), 8) && !grant.covers_dossier(theme("cybercrime"), 7));
        assert!(!grant.covers(theme("marketplace")) && !grant.covers_every_theme() && !grant.has_custody());
        let of_theme = authority.grant("ann", theme("marketplace"), Phase::Analysis);
        assert!(of_theme.covers_dossier(theme("marketplace"), 7) && of_theme.covers(theme("marketplace")));
    }
}
