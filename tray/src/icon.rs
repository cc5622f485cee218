//! The icon: two cans joined by a string, as on the page, drawn by code in the colour of what is going on.
//!
//! A badge says it to those who cannot tell the colours apart: a stroke through it all is no network, a disc with a bar
//! is do not disturb, a disc in a ring is a call that rings, a full disc a call that is on.

use twocan_api::Call;

use crate::menu;
use crate::state::{Daemon, State, peer};
use crate::strings as s;

/// What the icon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// There is no daemon.
    Off,
    /// There is no network.
    NoNetwork,
    /// Do not disturb.
    Quiet,
    /// Calls ring here.
    Reachable,
    /// One does.
    Ringing,
    /// The user is in one, or calls somebody.
    InCall,
}

/// What the icon says, and the same in words. A call that is on goes before one that rings: red means that somebody may
/// see and hear the user.
pub(crate) fn look(state: &State) -> (Look, String) {
    let ringing = |call: &Call| (Look::Ringing, s::rings(&peer(call)));
    match &state.daemon {
        Daemon::Starting => (Look::Off, s::STARTING.into()),
        Daemon::Waits(why) => (Look::Off, why.text.clone()),
        Daemon::Gone => (Look::Off, s::NOT_RUNNING.into()),
        Daemon::Failed(_) => (Look::Off, s::NOT_STARTED.into()),
        Daemon::Up => match (state.live(), state.ringing().next()) {
            (Some(call), _) => (Look::InCall, menu::live(call)),
            (None, Some(call)) => ringing(call),
            (None, None) if state.is_offline() => (Look::NoNetwork, s::NO_NETWORK.into()),
            (None, None) if state.is_quiet() => (Look::Quiet, s::QUIET.into()),
            (None, None) => (Look::Reachable, s::REACHABLE.into()),
        },
    }
}

/// The side of the picture in pixels; panels scale it down.
pub(crate) const SIDE: u32 = 48;

/// The drawing's side, as in the page's icon.
const UNITS: f64 = 64.0;

/// How wide its lines are: wider than the page's, for panels are small.
const PEN: f64 = 5.0;

/// A point of the drawing.
type Point = (f64, f64);

/// A colour: red, green, blue.
type Colour = [u8; 3];

const BLUE: Colour = [0x5b, 0x86, 0xf7];
const GREY: Colour = [0x8e, 0x93, 0x9c];
const RED: Colour = [0xe5, 0x39, 0x35];
const GREEN: Colour = [0x2e, 0xa0, 0x43];
const WHITE: Colour = [0xff, 0xff, 0xff];

/// Draws the icon: rows of red, green, blue, opacity.
pub(crate) fn draw(look: Look) -> Vec<u8> {
    let mut canvas = Canvas::new(SIDE);
    let (colour, pale) = match look {
        Look::Off => (GREY, 0.55),
        Look::NoNetwork => (GREY, 1.0),
        Look::Quiet | Look::Reachable => (BLUE, 1.0),
        Look::Ringing => (GREEN, 1.0),
        Look::InCall => (RED, 1.0),
    };
    for line in cans() {
        canvas.stroke(&line, PEN, colour, pale);
    }
    canvas.stroke(&string(), PEN * 0.8, colour, pale);
    let badge = (49.0, 49.0);
    match look {
        Look::Off | Look::Reachable => {}
        Look::NoNetwork => canvas.stroke(&[(8.0, 58.0), (56.0, 6.0)], PEN, RED, 1.0),
        Look::Quiet => {
            canvas.disc(badge, 14.0, RED);
            canvas.stroke(&[(42.0, 49.0), (56.0, 49.0)], PEN, WHITE, 1.0);
        }
        Look::Ringing => {
            canvas.disc(badge, 14.0, GREEN);
            canvas.disc(badge, 10.0, WHITE);
            canvas.disc(badge, 6.0, GREEN);
        }
        Look::InCall => canvas.disc(badge, 14.0, RED),
    }
    canvas.pixels
}

/// The outlines of both cans.
fn cans() -> Vec<Vec<Point>> {
    let lid: Vec<Point> = arc((7.0, 24.0), 0.0, 360.0);
    let mut body = vec![(7.0, 14.0)];
    body.extend(arc((21.0, 24.0), -90.0, 90.0));
    body.push((7.0, 34.0));
    let left: Vec<Vec<Point>> = [lid, body]
        .into_iter()
        .map(|line| line.into_iter().map(|at| turn(at, (15.0, 24.0), 20.0)).collect())
        .collect();
    let mirrored = left
        .iter()
        .map(|line| line.iter().map(|(x, y)| (UNITS - x, *y)).collect());
    let right: Vec<Vec<Point>> = mirrored.collect();
    left.into_iter().chain(right).collect()
}

/// The string between them: a cubic Bézier curve.
fn string() -> Vec<Point> {
    let [a, b, c, d] = [(24.5, 28.0), (27.0, 54.0), (37.0, 54.0), (39.5, 28.0)];
    let at = |t: f64| {
        let u = 1.0 - t;
        let mix =
            |a: f64, b: f64, c: f64, d: f64| u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d;
        (mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1))
    };
    (0..=24).map(|step| at(f64::from(step) / 24.0)).collect()
}

/// A piece of an upright ellipse, 4 wide and 10 high, in degrees.
fn arc(centre: Point, from: f64, to: f64) -> Vec<Point> {
    let at = |step: i32| {
        let angle = (from + (to - from) * f64::from(step) / 24.0).to_radians();
        (centre.0 + 4.0 * angle.cos(), centre.1 + 10.0 * angle.sin())
    };
    (0..=24).map(at).collect()
}

fn turn(at: Point, centre: Point, degrees: f64) -> Point {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (x, y) = (at.0 - centre.0, at.1 - centre.1);
    (centre.0 + x * cos - y * sin, centre.1 + x * sin + y * cos)
}

/// Pixels on which is drawn in the units of the drawing.
struct Canvas {
    side: u32,
    pixels: Vec<u8>,
}

impl Canvas {
    fn new(side: u32) -> Self {
        let bytes = usize::try_from(side * side * 4).unwrap_or_default();
        Self {
            side,
            pixels: vec![0; bytes],
        }
    }

    fn stroke(&mut self, line: &[Point], width: f64, colour: Colour, opacity: f64) {
        self.paint(colour, opacity, |at| {
            let pieces = line.iter().zip(line.iter().skip(1));
            let nearest = pieces.map(|(a, b)| distance(at, *a, *b)).fold(f64::INFINITY, f64::min);
            width / 2.0 - nearest
        });
    }

    fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        self.paint(colour, 1.0, |at| radius - distance(at, centre, centre));
    }

    /// Lays a colour over everything that `inside` puts inside: how far within the edge a point is, in units.
    fn paint(&mut self, colour: Colour, opacity: f64, inside: impl Fn(Point) -> f64) {
        let scale = UNITS / f64::from(self.side);
        let places = (0..self.side).flat_map(|y| (0..self.side).map(move |x| (x, y)));
        for ((x, y), pixel) in places.zip(self.pixels.as_chunks_mut::<4>().0) {
            let at = ((f64::from(x) + 0.5) * scale, (f64::from(y) + 0.5) * scale);
            let cover = (inside(at) / scale + 0.5).clamp(0.0, 1.0) * opacity;
            lay(pixel, colour, cover);
        }
    }
}

/// How far a point is from a line between two others.
fn distance(at: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let along = if length == 0.0 {
        0.0
    } else {
        (((at.0 - a.0) * dx + (at.1 - a.1) * dy) / length).clamp(0.0, 1.0)
    };
    (at.0 - a.0 - along * dx).hypot(at.1 - a.1 - along * dy)
}

/// Lays a colour of some opacity over a pixel whose colour is not multiplied by its own ("over").
fn lay(pixel: &mut [u8; 4], colour: Colour, cover: f64) {
    if cover <= 0.0 {
        return;
    }
    let [red, green, blue, opacity] = *pixel;
    let below = f64::from(opacity) / 255.0 * (1.0 - cover);
    let whole = cover + below;
    let mix = |new: u8, old: u8| byte((f64::from(new) * cover + f64::from(old) * below) / whole);
    let [r, g, b] = colour;
    *pixel = [mix(r, red), mix(g, green), mix(b, blue), byte(whole * 255.0)];
}

#[expect(clippy::cast_possible_truncation, reason = "it is clamped to what fits")]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use twocan_api::{CallState, Direction, Presence};

    use super::*;
    use crate::state::tests::{call, up};

    const ALL: [Look; 6] = [
        Look::Off,
        Look::NoNetwork,
        Look::Quiet,
        Look::Reachable,
        Look::Ringing,
        Look::InCall,
    ];

    fn of(state: &State) -> Look {
        look(state).0
    }

    #[test]
    fn a_call_goes_before_everything() {
        let mut state = up(Vec::new());
        assert_eq!(of(&state), Look::Reachable);
        state.status.as_mut().unwrap().presence = Presence::DoNotDisturb;
        assert_eq!(of(&state), Look::Quiet);
        state.calls.push(call("b", Direction::In, CallState::Ringing));
        assert_eq!(look(&state), (Look::Ringing, "Ann is calling".into()));
        state.calls.push(call("a", Direction::Out, CallState::Dialing));
        assert_eq!(look(&state), (Look::InCall, "Calling Ann".into()));
        state.daemon(Daemon::Gone);
        assert_eq!(of(&state), Look::Off);
    }

    #[test]
    fn no_two_looks_are_alike() {
        for (n, one) in ALL.iter().enumerate() {
            assert!(ALL[..n].iter().all(|other| draw(*other) != draw(*one)), "{one:?}");
        }
    }

    /// The share of the picture in which a colour is about this one.
    fn share(look: Look, colour: Colour) -> f64 {
        let pixels = draw(look);
        assert_eq!(pixels.len(), (SIDE * SIDE * 4) as usize);
        let near = |pixel: &[u8; 4]| pixel[3] > 128 && (0..3).all(|n| pixel[n].abs_diff(colour[n]) < 24);
        let (pixels, _) = pixels.as_chunks::<4>();
        pixels.iter().filter(|pixel| near(pixel)).count() as f64 / f64::from(SIDE * SIDE)
    }

    #[test]
    fn red_is_for_a_call_that_is_on() {
        assert!(share(Look::InCall, RED) > 0.2);
        assert!(share(Look::Reachable, RED) == 0.0);
        assert!(share(Look::Reachable, BLUE) > 0.15);
        assert!(share(Look::Ringing, GREEN) > 0.2);
    }

    #[test]
    fn the_corners_are_clear() {
        for look in ALL {
            assert_eq!(draw(look)[3], 0, "{look:?}");
        }
    }
}
