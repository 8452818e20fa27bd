//! What wit-bindgen makes of the contract, and nothing else.

wit_bindgen::generate!({
    path: "../../wit",
    world: "channel",
    additional_derives: [PartialEq],
    pub_export_macro: true,
    export_macro_name: "__export_plugin",
    default_bindings_module: "sandbell_sdk::bindings",
});
