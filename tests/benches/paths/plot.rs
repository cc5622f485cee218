//! Small pictures of what was measured, as SVG without a library. The grey is direct, the blue is through the daemons.

use std::fmt::Write as _;

use twocan_tests::root;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
/// Room for what is written.
const LEFT: f64 = 36.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 26.0;
const COLOURS: [&str; 2] = ["#8a8f98", "#2563eb"];
const NAMES: [&str; 2] = ["direct", "both daemons"];

/// Two bars for each of some groups.
pub(super) struct Bars {
    pub(super) title: &'static str,
    pub(super) groups: Vec<(String, [f64; 2])>,
}

/// Two lines over seconds, under a limit.
pub(super) struct Lines {
    pub(super) title: &'static str,
    pub(super) limit: Vec<f64>,
    pub(super) lines: [Vec<f64>; 2],
}

/// Writes a picture into `tests/benches/plots`.
pub(super) fn keep(name: &str, svg: &str) {
    let folder = root().join("tests/benches/plots");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.svg")), svg).unwrap();
}

/// Several bar charts in one picture.
pub(super) fn side_by_side(charts: &[Bars]) -> String {
    let drawn: Vec<String> = (0u32..)
        .zip(charts)
        .map(|(at, chart)| {
            let inner = chart.draw();
            format!("<g transform=\"translate({},0)\">{inner}</g>", f64::from(at) * WIDTH)
        })
        .collect();
    document(float(charts.len()) * WIDTH, &drawn.concat())
}

impl Bars {
    fn draw(&self) -> String {
        let values = self.groups.iter().flat_map(|(_, values)| values);
        let scale = Scale::over(values.copied());
        let mut out = frame(self.title, WIDTH, scale);
        let room = (WIDTH - LEFT - 12.0) / float(self.groups.len());
        let mut left = LEFT + 6.0;
        for (name, values) in &self.groups {
            for ((value, colour), at) in values.iter().zip(COLOURS).zip([0.14, 0.5]) {
                let (x, y) = (left + at * room, scale.y(*value));
                let (width, height) = (0.34 * room, HEIGHT - BOTTOM - y);
                write!(
                    out,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\" fill=\"{colour}\"/>"
                )
                .unwrap();
                let middle = x + width / 2.0;
                let text = if *value < 10.0 {
                    format!("{value:.1}")
                } else {
                    format!("{value:.0}")
                };
                write!(
                    out,
                    "<text x=\"{middle:.1}\" y=\"{:.1}\" class=\"v\">{text}</text>",
                    y - 3.0
                )
                .unwrap();
            }
            let middle = left + room * 0.49;
            write!(
                out,
                "<text x=\"{middle:.1}\" y=\"{:.1}\" class=\"v\">{name}</text>",
                HEIGHT - 9.0
            )
            .unwrap();
            left += room;
        }
        out
    }
}

impl Lines {
    pub(super) fn draw(&self) -> String {
        let width = 2.0 * WIDTH;
        let all = self.limit.iter().chain(self.lines.iter().flatten());
        let scale = Scale::over(all.copied());
        let mut out = frame(self.title, width, scale);
        let step = (width - LEFT - 12.0) / float(self.limit.len().max(2) - 1);
        let points = |values: &[f64]| -> String {
            let mut x = LEFT;
            let mut text = String::new();
            for value in values {
                write!(text, "{x:.1},{:.1} ", scale.y(*value)).unwrap();
                x += step;
            }
            text
        };
        write!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"#dc2626\" stroke-dasharray=\"5 4\"/>\
             <text x=\"{:.0}\" y=\"36\" class=\"l\" fill=\"#dc2626\">what the path carries</text>",
            points(&self.limit),
            LEFT + 200.0
        )
        .unwrap();
        for (line, colour) in self.lines.iter().zip(COLOURS) {
            let points = points(line);
            write!(
                out,
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>"
            )
            .unwrap();
        }
        for second in (0..self.limit.len()).step_by(10) {
            let x = LEFT + float(second) * step;
            write!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" class=\"v\">{second} s</text>",
                HEIGHT - 9.0
            )
            .unwrap();
        }
        document(width, &out)
    }
}

/// From values to heights.
#[derive(Clone, Copy)]
struct Scale {
    most: f64,
    step: f64,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let most = values.fold(1.0, f64::max) * 1.1;
        let steps = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
        let step = steps.into_iter().find(|step| most / step <= 6.0).unwrap_or(most);
        Self { most, step }
    }

    fn y(self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.most
    }
}

/// Title, names and grid.
fn frame(title: &str, width: f64, scale: Scale) -> String {
    let mut out = format!("<text x=\"{LEFT}\" y=\"18\" class=\"t\">{title}</text>");
    for ((name, colour), x) in NAMES.iter().zip(COLOURS).zip([LEFT, LEFT + 70.0]) {
        write!(
            out,
            "<rect x=\"{x}\" y=\"28\" width=\"9\" height=\"9\" rx=\"2\" fill=\"{colour}\"/><text x=\"{}\" y=\"36\" class=\"l\">{name}</text>",
            x + 13.0
        )
        .unwrap();
    }
    let mut value = 0.0;
    while value <= scale.most {
        let y = scale.y(value);
        write!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#d7dae0\"/><text x=\"{}\" y=\"{:.1}\" class=\"y\">{value}</text>",
            width - 12.0,
            LEFT - 5.0,
            y + 4.0
        )
        .unwrap();
        value += scale.step;
    }
    out
}

fn document(width: f64, inner: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" width=\"{width}\" height=\"{HEIGHT}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"11\" fill=\"#3b4048\">\
         <style>.t{{font-size:13px;font-weight:600}}.v{{text-anchor:middle}}.y{{text-anchor:end}}</style>\
         <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"#fff\"/>{inner}</svg>\n"
    )
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
