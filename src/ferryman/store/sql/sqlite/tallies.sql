SELECT json_group_array(json_array(lane.queue, tally.what, tally.n)) FROM tally JOIN lane ON lane.number = tally.lane;
