-- whoever changes a rule comes here first, so that they come one after the other
UPDATE ferryman.edition SET number = number + 1;
