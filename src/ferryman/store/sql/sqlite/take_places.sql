UPDATE place SET last = last + :count;
