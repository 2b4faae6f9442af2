//! Links of the OpenAPI document: from an operation that creates an object to those on the object.

use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, RefOr};

/// Links every `POST` that creates an object to the operations on this object. Their path is that
/// of the `POST` followed by the id.
pub(crate) fn add(document: &mut OpenApi) {
    let paths = &mut document.paths.paths;
    let on_one: Vec<_> = paths
        .iter()
        .filter_map(|(path, item)| Some((path.clone(), parameter(path)?, ids(item))))
        .collect();
    for (path, item) in paths.iter_mut() {
        let Some(post) = &mut item.post else {
            continue;
        };
        let below = format!("{path}/{{");
        let made = post.responses.responses.iter_mut();
        let made = made.filter(|(status, _)| *status == "200" || *status == "201");
        for (_, response) in made {
            let RefOr::T(response) = response else {
                continue;
            };
            let targets = on_one.iter().filter(|(path, ..)| path.starts_with(&below));
            for (_, parameter, operations) in targets {
                for operation in operations {
                    let link = LinkBuilder::new()
                        .operation_id(operation)
                        .parameter(parameter, "$response.body#/id")
                        .build();
                    response.links.insert(operation.clone(), link.into());
                }
            }
        }
    }
}

/// Returns the only parameter of a path; none if it has several.
fn parameter(path: &str) -> Option<String> {
    let (_, rest) = path.split_once('{')?;
    let (name, rest) = rest.split_once('}')?;
    (!rest.contains('{')).then(|| name.to_owned())
}

fn ids(item: &PathItem) -> Vec<String> {
    let operations = [&item.get, &item.put, &item.post, &item.patch, &item.delete];
    let operations = operations.into_iter().flatten();
    let id = |operation: &Operation| operation.operation_id.clone();
    operations.filter_map(id).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn create_operations_link_to_their_follow_ups() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let links = |path: &str, status: &str| {
            let links = &document["paths"][path]["post"]["responses"][status]["links"];
            let links = links.as_object().unwrap().iter();
            let place = |link: &Value| {
                let parameters = link["parameters"].as_object().unwrap().iter();
                let parameters = parameters.map(|(name, value)| format!("{name}={value}"));
                parameters.collect::<String>().replace('"', "")
            };
            let links = links.map(|(name, link)| format!("{name} {}", place(link)));
            links.collect::<Vec<_>>()
        };
        assert_eq!(
            links("/api/v2/authorizations", "201"),
            [
                "DeleteAuthorizationsID",
                "GetAuthorizationsID",
                "PatchAuthorizationsID",
                "PostAuthorizationsIDRotate"
            ]
            .map(|name| format!("{name} authID=$response.body#/id"))
        );
        let made = links("/api/v0/tokens", "200");
        assert!(made.contains(&"GetDatabaseToken tokenId=$response.body#/id".to_owned()));
        assert_eq!(made.len(), 3);
    }
}
