//! When malicious code runs: a closed set.

use serde::{Deserialize, Serialize};

/// When malicious code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Every start of the interpreter (`.pth`, `sitecustomize`).
    InterpreterStart,
    /// Import, `require` or autoload of the package.
    Import,
    /// A call of a function, at run time.
    RuntimeCall,
    /// An install hook that the sources do not name.
    InstallHook,
    /// npm's `preinstall`.
    Preinstall,
    /// npm's `install`.
    Install,
    /// npm's `postinstall`.
    Postinstall,
    /// npm's `prepare`, which git dependencies run.
    Prepare,
    /// An install script of a package that it brings in; it has none itself.
    DependencyInstall,
    /// A native build: `binding.gyp`, `extconf.rb`.
    NativeBuild,
    /// Building the package from source: `setup.py` of an sdist, `build.rs`, a procedural macro.
    Build,
    /// Start of the program that it is.
    ProgramRun,
    /// A workflow step that uses the action.
    ActionRun,
    /// Start of a container.
    ContainerRun,
    /// Activation of an editor extension.
    ExtensionActivation,
    /// Opening the folder in an editor.
    FolderOpen,
    /// Start of an AI agent's session.
    AgentSession,
    /// A page that holds the code, in a browser.
    BrowserPage,
}

/// When, by how it comes to run: with where the package stands this shows how far it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// While it is installed: install scripts, native builds, `build.rs`, `setup.py`.
    AtInstall,
    /// When what it belongs to starts: start-up hooks, activation in an editor, opening a folder.
    AtStart,
    /// Once somebody uses it: import, call, run of the program.
    OnUse,
}

impl Trigger {
    /// Its moment.
    pub fn moment(self) -> Moment {
        match self {
            Self::InstallHook
            | Self::Preinstall
            | Self::Install
            | Self::Postinstall
            | Self::Prepare
            | Self::DependencyInstall
            | Self::NativeBuild
            | Self::Build => Moment::AtInstall,
            Self::InterpreterStart
            | Self::ContainerRun
            | Self::ExtensionActivation
            | Self::FolderOpen
            | Self::AgentSession => Moment::AtStart,
            Self::Import | Self::RuntimeCall | Self::ProgramRun | Self::ActionRun | Self::BrowserPage => Moment::OnUse,
        }
    }

    /// Runs by itself, without anybody using the package.
    pub fn by_itself(self) -> bool {
        match self {
            Self::InterpreterStart
            | Self::InstallHook
            | Self::Preinstall
            | Self::Install
            | Self::Postinstall
            | Self::Prepare
            | Self::DependencyInstall
            | Self::NativeBuild
            | Self::Build
            | Self::ExtensionActivation => true,
            Self::Import
            | Self::RuntimeCall
            | Self::ProgramRun
            | Self::ActionRun
            | Self::ContainerRun
            | Self::FolderOpen
            | Self::AgentSession
            | Self::BrowserPage => false,
        }
    }

    /// In words, after "runs".
    pub fn words(self) -> &'static str {
        match self {
            Self::InterpreterStart => "at every Python start",
            Self::Import => "when the trojaned module is imported",
            Self::RuntimeCall => "when the trojaned function is called",
            Self::InstallHook => "when it is installed",
            Self::Preinstall => "when it is installed (preinstall script)",
            Self::Install => "when it is installed (install script)",
            Self::Postinstall => "when it is installed (postinstall script)",
            Self::Prepare => "when it is installed from git (prepare script)",
            Self::DependencyInstall => {
                "when it is installed, by a script of a package that it brings in (it has none itself)"
            }
            Self::NativeBuild => "when it is installed (native build)",
            Self::Build => "when it is built from source",
            Self::ProgramRun => "when the program is started",
            Self::ActionRun => "when a workflow uses it",
            Self::ContainerRun => "when the container starts",
            Self::ExtensionActivation => "when the editor activates it",
            Self::FolderOpen => "when the folder is opened in an editor",
            Self::AgentSession => "when an AI agent starts a session in the folder",
            Self::BrowserPage => "in the browser of whoever opens a page built with it",
        }
    }
}
