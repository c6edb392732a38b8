import { Head } from "../ui/bits";

export function Keys() {
  return <Head title="Keys" />;
}
