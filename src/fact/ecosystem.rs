//! Where packages come from.

use serde::{Deserialize, Serialize};

/// Where a package comes from. The spelling is that of package URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// The Python Package Index and its mirrors.
    Pypi,
    /// The npm registry and its mirrors.
    Npm,
    /// Rust crates.
    Cargo,
    /// Go modules.
    Golang,
    /// Ruby gems.
    Gem,
    /// Maven artefacts, `group:artifact`.
    Maven,
    /// NuGet packages.
    Nuget,
    /// Composer packages (Packagist).
    Composer,
    /// Extensions of the Visual Studio Marketplace, `publisher.name`.
    Vscode,
    /// Extensions of Open VSX, `publisher.name`.
    Openvsx,
    /// Plug-ins of JetBrains' Marketplace, by the id in their description.
    Jetbrains,
    /// Extensions of the Chrome Web Store and of others for browsers of its kind, by their id of 32 letters.
    Chrome,
    /// Add-ons for Firefox and its kin, by the id in their manifest.
    Firefox,
    /// Container images.
    Oci,
    /// Packages of Debian and what descends from it.
    Deb,
    /// RPM packages.
    Rpm,
    /// Packages built from recipes of the Arch User Repository; pacman installs them.
    Aur,
    /// Packages of Hex, for Elixir and Erlang.
    Hex,
    /// Packages of pub, for Dart and Flutter.
    Pub,
    /// Pods of CocoaPods.
    Cocoapods,
    /// Swift packages, by the address of their repository: `forge.example/owner/name`.
    Swift,
    /// Packages of R.
    Cran,
    /// Conan packages, for C and C++.
    Conan,
    /// Packages of Alpine and what descends from it.
    Apk,
    /// Formulae and casks of Homebrew; of another tap than its own, `owner/tap/name`.
    Brew,
    /// Programs and plug-ins from nowhere else: releases of a forge, WordPress plug-ins, skills.
    Generic,
}

impl Ecosystem {
    /// All, in the order of reports.
    pub const ALL: [Self; 26] = [
        Self::Pypi,
        Self::Npm,
        Self::Cargo,
        Self::Golang,
        Self::Gem,
        Self::Maven,
        Self::Nuget,
        Self::Composer,
        Self::Vscode,
        Self::Openvsx,
        Self::Jetbrains,
        Self::Chrome,
        Self::Firefox,
        Self::Oci,
        Self::Deb,
        Self::Rpm,
        Self::Aur,
        Self::Hex,
        Self::Pub,
        Self::Cocoapods,
        Self::Swift,
        Self::Cran,
        Self::Conan,
        Self::Apk,
        Self::Brew,
        Self::Generic,
    ];

    /// The type in a package URL.
    pub fn purl_type(self) -> &'static str {
        match self {
            Self::Pypi => "pypi",
            Self::Npm => "npm",
            Self::Cargo => "cargo",
            Self::Golang => "golang",
            Self::Gem => "gem",
            Self::Maven => "maven",
            Self::Nuget => "nuget",
            Self::Composer => "composer",
            Self::Vscode => "vscode",
            Self::Openvsx => "openvsx",
            Self::Jetbrains => "jetbrains",
            Self::Chrome => "chrome",
            Self::Firefox => "firefox",
            Self::Oci => "oci",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Aur => "aur",
            Self::Hex => "hex",
            Self::Pub => "pub",
            Self::Cocoapods => "cocoapods",
            Self::Swift => "swift",
            Self::Cran => "cran",
            Self::Conan => "conan",
            Self::Apk => "apk",
            Self::Brew => "brew",
            Self::Generic => "generic",
        }
    }

    /// From its own spelling, or one that people and other databases use.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let own = Self::ALL.into_iter().find(|e| e.purl_type() == word);
        own.or(match word.as_str() {
            "python" | "pip" => Some(Self::Pypi),
            "node" | "javascript" | "npmjs" => Some(Self::Npm),
            "crates.io" | "crates" | "crate" | "rust" => Some(Self::Cargo),
            "go" | "gomod" => Some(Self::Golang),
            "rubygems" | "ruby" => Some(Self::Gem),
            "packagist" | "php" => Some(Self::Composer),
            "vscode-marketplace" | "vscode-extension" => Some(Self::Vscode),
            "open-vsx" | "open vsx" => Some(Self::Openvsx),
            "jetbrains-plugin" | "intellij" => Some(Self::Jetbrains),
            "chrome-extension" | "chrome-web-store" | "chromium" => Some(Self::Chrome),
            "mozilla" | "firefox-addon" | "amo" => Some(Self::Firefox),
            "docker" | "container" | "image" => Some(Self::Oci),
            "debian" | "ubuntu" => Some(Self::Deb),
            "alpm" | "arch" | "archlinux" | "pacman" => Some(Self::Aur),
            "dotnet" | ".net" => Some(Self::Nuget),
            "elixir" | "erlang" => Some(Self::Hex),
            "dart" | "flutter" => Some(Self::Pub),
            "pod" | "pods" => Some(Self::Cocoapods),
            "swifturl" | "swiftpm" | "spm" => Some(Self::Swift),
            "r" => Some(Self::Cran),
            "conancenter" => Some(Self::Conan),
            "alpine" => Some(Self::Apk),
            "homebrew" => Some(Self::Brew),
            _ => None,
        })
    }
}
