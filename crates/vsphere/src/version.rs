//! Which version of the API is spoken.

use super::error::Error;
use super::xml::{Malformed, Reader, VIM};

/// The version that is asked for wherever it is known: of TaskInfo, later ones add `progressDetails` only.
const WANTED: &str = "6.7";

/// Chooses from `vimServiceVersions.xml`: 6.7 where it is listed, else the newest. (vSphere Web Services SDK
/// Programming Guide, "Multiple Versions".)
pub(super) fn choose(document: &[u8], depth: usize) -> Result<String, Error> {
    let none = Error::NotVcenter("it has no list of API versions");
    let Ok(text) = std::str::from_utf8(document) else { return Err(none) };
    let Ok(versions) = list(&mut Reader::new(text, depth)) else { return Err(none) };
    if versions.iter().any(|version| version == WANTED) {
        return Ok(WANTED.to_owned());
    }
    let numbered = versions.into_iter().filter_map(|version| Some((numbers(&version)?, version)));
    numbered.max().map(|(_, version)| version).ok_or(none)
}

/// The versions of the namespace `urn:vim25`; there may be others beside it.
fn list(xml: &mut Reader<'_>) -> Result<Vec<String>, Malformed> {
    let mut all = Vec::new();
    xml.children(|xml, root| match root.name() {
        "namespaces" => xml.children(|xml, namespace| match namespace.name() {
            "namespace" => {
                let (name, versions) = namespace_versions(xml)?;
                if name == VIM {
                    all.extend(versions);
                }
                Ok(())
            }
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    Ok(all)
}

fn namespace_versions(xml: &mut Reader<'_>) -> Result<(String, Vec<String>), Malformed> {
    let (mut name, mut versions) = (String::new(), Vec::new());
    xml.children(|xml, element| {
        match element.name() {
            "name" => xml.text()?.as_str().trim().clone_into(&mut name),
            "version" => versions.push(xml.text()?.as_str().trim().to_owned()),
            "priorVersions" => xml.children(|xml, prior| {
                if prior.name() == "version" {
                    versions.push(xml.text()?.as_str().trim().to_owned());
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((name, versions))
}

/// The numbers of a version, for comparison; none for names such as `2.5u2` or those of internal builds.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(versions: &[&str]) -> String {
        let prior = versions[1..].iter().map(|version| format!("<version>{version}</version>")).collect::<String>();
        let newest = versions[0];
        format!(
            "<namespaces><namespace><name>urn:other</name><version>99.0</version></namespace><namespace>\
             <name>urn:vim25</name><version>{newest}</version><priorVersions>{prior}</priorVersions></namespace></namespaces>"
        )
    }

    #[test]
    fn asks_for_one_version_wherever_it_is_known() {
        for (versions, is) in [
            (&["9.1.0.0", "9.0.0.0", "6.7.3", "6.7", "6.5"][..], "6.7"),
            (&["6.7.3", "6.0", "5.5"], "6.7.3"),
            (&["6.5", "10.0.0.0", "9.2.0.0", "m5CA1EF4D", "2.5u2"], "10.0.0.0"),
            (&["7.0.3.10", "7.0.3.9"], "7.0.3.10"),
        ] {
            assert_eq!(choose(list(versions).as_bytes(), 64).unwrap(), is);
        }
    }

    #[test]
    fn a_list_without_the_api_is_no_vcenters() {
        for document in ["", "<html></html>", "<namespaces/>", &list(&["m5CA1EF4D"]), "\u{0}"] {
            assert!(matches!(choose(document.as_bytes(), 64), Err(Error::NotVcenter(_))), "{document}");
        }
    }
}
