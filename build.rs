//! Passes on which FFmpeg is linked: where its interface changed, the code asks
//! `cfg(ffmpeg_8_0)` and the like.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(ffmpeg_8_0)");
    // Set by the build script of `ffmpeg-sys-next`, which looks at the headers.
    if std::env::var("DEP_FFMPEG_FFMPEG_8_0").is_ok_and(|value| value == "true") {
        println!("cargo:rustc-cfg=ffmpeg_8_0");
    }
}
