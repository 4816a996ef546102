//! `pgmedic presets`.

use crate::cli::ListFormat;
use crate::config::Preset;
use std::collections::BTreeMap;

/// The list of presets, as `[[sessions]]` would have them.
pub fn render_presets(format: ListFormat) -> String {
    let presets = Preset::all();
    match format {
        ListFormat::Json => {
            let listed = presets.iter().map(|preset| {
                let about = [("name", preset.name), ("client", &preset.client), ("meaning", &preset.meaning)];
                let keys = about.into_iter().chain(preset.keys()).map(|(key, value)| (key, value.to_owned()));
                keys.chain(preset.tables()).collect::<BTreeMap<_, _>>()
            });
            format!("{}\n", serde_json::json!(listed.collect::<Vec<_>>()))
        }
        ListFormat::Table => presets.iter().map(|preset| preset.to_toml_lines() + "\n").collect(),
    }
}
