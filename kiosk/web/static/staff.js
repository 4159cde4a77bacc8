// What every staff page does: the live line, the clock, actions in place.

import { startActions } from "./act.js";
import { connect } from "./live.js";
import { startClock } from "./time.js";

export function startStaff(options = {}) {
  startClock();
  startActions();
  connect(options);
}
